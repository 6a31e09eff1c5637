"""Checks the figures and the attribution of a model's answer against the retrieved passages.

`check.check` is the entry. It asks no model and does no input or output. What it proves is narrow:
each figure stands in a passage sentence that the answer cites, with the same unit and label, and
enough of the words do. It does not prove that the passage entails the answer.

`markers` takes the citations out of a completion, `units` cuts it, `numbers` reads figures,
`labels` compares them with the words around them, and `proof` tests whole sentences.
"""
