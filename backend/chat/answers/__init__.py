"""Checks the figures and the attribution of a model's answer against the retrieved passages.

`check.check` is the entry. It calls no model and does no input or output. It proves little: a
passage sentence that the answer cites contains each figure, with the same unit and label, and
enough of the words. It does not prove that the passage entails the answer.

`markers` takes the citations out of a completion, `cutting` cuts it into units, `numbers` reads
figures, `labels` compares figures by the words around them, and `proof` compares sentences.
"""
