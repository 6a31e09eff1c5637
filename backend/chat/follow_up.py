"""Decides what to search for: a question, the question with those before it, or both.

Searching for "And for bonds?" alone finds nothing, so the earlier question is searched with it. A
question on a new topic must be searched alone, or the old topic's passages are found again. These
make a question depend on the one before: an opener ("what about"), a pronoun whose noun is not in
the question, a sentence fragment, or no topic word at all. A question that names a topic and has a
pronoun, or that names few topics, can be of either kind: both texts are searched, and each passage
keeps its better score.
"""

import re
from collections.abc import Sequence
from typing import Final

from chat.plain_words import FUNCTION, GENERIC

_MAX_QUESTIONS: Final = 3
_MAX_CHARACTERS: Final = 4_000
# With fewer topic words, a question that depends on the one before finds nothing alone.
_TOPICS_TO_SEARCH_ALONE: Final = 2
# With fewer, a question can leave out its topic even if nothing says so: "What is the deadline?".
_TOPICS_OF_A_WHOLE_QUESTION: Final = 3

# Announces a new topic: "by the way, ...", "now a different question: ...".
_TOPIC_CHANGE: Final = re.compile(
    r"(?:now |ok(?:ay)?,? |so,? |on )?(?:(?:a |an )?(?:completely |totally )?(?:different|new|"
    r"another|"
    r"unrelated|separate) (?:question|topic|subject|matter|thing)|unrelated(?:ly)?|by the way|btw|"
    r"changing (?:the )?(?:topic|subject)|(?:let's|let us) (?:talk|switch|move|turn)|switching|"
    r"moving on|turning to|something else|next (?:question|topic))\b"
)
# Reacts to the answer before the question begins: "OK, thanks. ...".
_ACKNOWLEDGEMENT: Final = re.compile(
    r"(?:(?:ok(?:ay)?|thanks|thank you|great|good|i see|got it|right|alright|all right|hm+|hi|"
    r"hello|"
    r"interesting|fine|well|now|please|sure|understood|makes sense|that makes sense|"
    r"that's clear|yes|no)\b[\s,.!:;-]*)+"
)
# Opens a question that only makes sense after another: "what about ...", "why?", "are you sure".
_OPENER: Final = re.compile(
    r"(?:(?:and|but|or|so) )?(?:what|how) about\b|what if\b|same (?:for|question)|in (?:that|"
    r"this) case|if so|if not|"
    r"why(?: is that| not| so)?\s*\?*$|how come|(?:for|such) example|like what|such as|"
    r"which means|meaning|"
    r"(?:tell me|explain|say) (?:more|further|again)|more (?:about|on|detail)|go on|continue|"
    r"elaborate|"
    r"(?:can|could|would) you (?:please )?(?:explain|elaborate|clarify|expand|repeat|summari[sz]e|"
    r"give)\b(?! (?:me )?(?:how|what|why|the difference))|"
    r"(?:is|was|are) (?:that|this|those|these)\b|really\b|are you sure|anything else|what else|"
    r"who else|where else|"
    r"except|unless|only if|even if|not even"
)
# A conjunction at the start joins the question to the one before: "and for bonds?".
_JOINER: Final = re.compile(r"(?:and|but|or|so|then|also|plus|yet|still|because)\b")
# Starts a fragment, if no verb follows: "for a family of four?", "in California?".
_PREPOSITION: Final = re.compile(
    r"(?:for|with|without|in|at|after|before|from|under|over|by|until|on|about|during|between|of|"
    r"to|"
    r"as|since|within|per|if|when|not|even|only|just|including|instead|every|through|via)\b"
)
# Makes a text a question of its own rather than a fragment: "is", "should", "how", "explain".
_VERB: Final = re.compile(
    r"\b(?:is|are|was|were|am|be|do|does|did|can|could|should|shall|will|would|may|might|must|has|"
    r"have|had|need|needs|what|what's|how|why|when|where|which|who|whose|explain|tell|describe|"
    r"define|"
    r"compare|give|show|list)\b"
)
# "It" that refers to nothing: "is it better to rent or buy", "how long does it take to ...".
_EXPLETIVE: Final = re.compile(
    r"\b(?:is|was|would|will|could|can|might|be|does|did|do|when|if) it (?:really |still |ever |"
    r"even |a |an |make |"
    r"generally |usually |always |be |actually )*(?:good|bad|better|best|worth|wise|smart|"
    r"possible|safe|"
    r"safer|sensible|sense|ok|okay|necessary|matter|true|hard|easy|easier|worse|idea|legal|"
    r"illegal|normal|too late|late|"
    r"cheaper|common|likely|important|mistake|allowed|realistic|take|cost|mean|pay|help|hurt|"
    r"comes|right)\b"
    r"(?= (?:\w+ ){0,3}?(?:to|that|if|for|when|whether|sense|idea|matter|what|buying|selling|"
    r"paying|"
    r"investing|refinancing|renting|having|getting|keeping|using|waiting|consolidating|\w+ing)\b)"
    r"|\bdoes it make (?:more )?(?:financial )?sense\b|\bit (?:is|comes) (?:to|better|worth)\b|"
    r"\bworth it to\b"
)
# "There" that refers to nothing: "is there a penalty".
_EXISTENTIAL: Final = re.compile(
    r"\b(?:is|are|was|were|does|do|will|can|would|could) there\b|\bthere (?:is|are|be)\b"
)
# "This", "those", "that" which do not refer back: "this year", "those who", "a fund that tracks".
_RELATIVE: Final = re.compile(
    r"\bthis (?:year|month|week|quarter|decade|age|country)\b|\b(?:these|those) (?:days|who|with|"
    r"over|under)\b|"
    r"(?<!does )(?<!do )(?<!did )(?<!is )(?<!can )(?<!will )(?<!should )(?<!would )"
    r"(?<=\w )that(?= (?:\w+ ){0,2}(?:\w+s|"
    r"\w+ed|is|are|was|has|have|can|will|i|you|we|my|the|a|an|do|does|pay|track|hold|grow|"
    r"offer)\b)"
)
# "One" and "other" which do not refer back: "each other", "one year".
_NOT_A_REFERENCE: Final = re.compile(
    r"\b(?:each other|one another|no one|at once|one (?:year|month|day|percent|time|job|income|"
    r"person)|one's|once)\b"
)
# Refers to a noun named before: "how is it taxed", "the other one", "and the rest".
_PRONOUN: Final = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|she|him|her|his|ones|such|there|"
    r"former|latter|both|neither|former's|itself|themselves)\b(?! of\b)|\b(?:the|a|any|each|which|"
    r"this|that|every|another|other|\w+er|\w+est) one\b|"
    r"\b(?:the )?(?:same|others?|opposite|rest|remainder)\b"
)
# Compares with what was said before: "are bonds insured too?", "any other", "... instead?".
_ADDITION: Final = re.compile(
    r"\b(?:too|as well|instead|again|otherwise|either|then|though|similarly|likewise|afterwards|"
    r"beforehand|meanwhile|so|not)\s*\?*$|\b(?:also|instead (?!of))\b|\belse\b|\bany other\b|"
    r"\bother than\b|"
    r"\banother (?:way|option|reason|example|one)\b"
)
# Where a clause ends. In "I have a mortgage, should I refinance it", the comma separates the noun
# from its pronoun.
_BOUNDARY: Final = re.compile(
    r"[,;:.?!]| (?:and|or|but|when|before|after|while|because|if|than|so|since|until|as|without|"
    r"with|that|on|to)\b"
)
# A word or an amount, without its currency: "roth", "401(k)", "5,000", "4.5%".
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9'/%$.,()-]*")


def depends_on_earlier(question: str) -> bool:
    """Return whether a question refers to the turn before it."""
    text = _plain(question)
    if _TOPIC_CHANGE.match(text):
        return False
    if found := _ACKNOWLEDGEMENT.match(text):
        text = text[found.end() :]
        if _TOPIC_CHANGE.match(text):
            return False
    if not text or _OPENER.match(text):
        return True
    joined = _JOINER.match(text)
    if joined:
        text = text[joined.end() :].lstrip(" ,")
        if _OPENER.match(text) or len(topics(text)) < 2:
            return True
    if _PREPOSITION.match(text) and not _VERB.search(text):
        return True
    return _refers_back(text) or not topics(text)


def _plain(question: str) -> str:
    return " ".join(question.replace("\u2019", "'").lower().split())


def _without_idle_pronouns(text: str) -> str:
    """Return the text without the pronouns that refer to nothing."""
    for idle in (_EXPLETIVE, _NOT_A_REFERENCE, _EXISTENTIAL, _RELATIVE):
        text = idle.sub(" ", text)
    return text


def _refers_back(text: str) -> bool:
    plain = _without_idle_pronouns(text)
    for found in _PRONOUN.finditer(plain):
        if not _has_antecedent(plain[: found.start()]):
            return True
    added = _ADDITION.search(plain)
    return added is not None and len(topics(plain)) < 3


def _has_antecedent(before: str) -> bool:
    """Return whether an earlier clause of the question names a noun that a pronoun can mean."""
    boundaries = [found.start() for found in _BOUNDARY.finditer(before)]
    return bool(boundaries) and bool(topics(before[: boundaries[-1]]))


def _may_depend(question: str) -> bool:
    """Return whether a question that looks whole can refer to the turn before it."""
    text = _plain(question)
    found = _ACKNOWLEDGEMENT.match(text)
    if _TOPIC_CHANGE.match(text[found.end() :] if found else text):
        return False
    has_pronoun = _PRONOUN.search(_without_idle_pronouns(text)) is not None
    return has_pronoun or len(topics(text)) < _TOPICS_OF_A_WHOLE_QUESTION


def topics(text: str) -> list[str]:
    """Return the words that name a topic, in lower case."""
    found = (word.strip(".,'()-") for word in _WORD.findall(text.lower()))
    return [
        word
        for word in found
        if word
        and word.removesuffix("'s") not in FUNCTION
        and word not in GENERIC
        and not word.replace(",", "").replace(".", "").strip("$%").isdigit()
    ]


def search_texts(questions: Sequence[str]) -> tuple[str, ...]:
    """Return the texts to search for, one or two; the first has all questions that matter.

    Args:
        questions: The user's questions, oldest first.
    """
    last = questions[-1]
    depends = depends_on_earlier(last)
    if len(questions) == 1 or not (depends or _may_depend(last)):
        return (last[-_MAX_CHARACTERS:],)
    start = len(questions) - 2
    while (
        start > 0
        and len(questions) - start < _MAX_QUESTIONS
        and depends_on_earlier(questions[start])
    ):
        start -= 1
    joined = "\n".join(questions[start:])[-_MAX_CHARACTERS:]
    if depends and len(topics(last)) < _TOPICS_TO_SEARCH_ALONE:
        return (joined,)
    return (joined, last[-_MAX_CHARACTERS:])
