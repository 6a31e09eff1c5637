"""Whether a question can be understood alone, or only with the question before it.

"And for bonds?" finds nothing by itself, but a new topic that is searched together with the old one
finds the old one. The rule looks for what refers back: openers, pronouns without an antecedent of
their own, fragments, and questions without a topic.
"""

import re
from collections.abc import Sequence
from typing import Final

_MAX_JOINED: Final = 3
_MAX_CHARACTERS: Final = 4_000

_CHANGE: Final = re.compile(
    r"(?:now |ok(?:ay)?,? |so,? |on )?(?:(?:a |an )?(?:completely |totally )?(?:different|new|another|"
    r"unrelated|separate) (?:question|topic|subject|matter|thing)|unrelated(?:ly)?|by the way|btw|"
    r"changing (?:the )?(?:topic|subject)|(?:let's|let us) (?:talk|switch|move|turn)|switching|"
    r"moving on|turning to|something else|next (?:question|topic))\b"
)
_ACKNOWLEDGEMENT: Final = re.compile(
    r"(?:(?:ok(?:ay)?|thanks|thank you|great|good|i see|got it|right|alright|all right|hm+|hi|hello|"
    r"interesting|fine|well|now|please|sure|understood|makes sense|that makes sense|"
    r"that's clear|yes|no)\b[\s,.!:;-]*)+"
)
_OPENER: Final = re.compile(
    r"(?:(?:and|but|or|so) )?(?:what|how) about\b|what if\b|same (?:for|question)|in (?:that|this) case|if so|if not|"
    r"why(?: is that| not| so)?\s*\?*$|how come|(?:for|such) example|like what|such as|which means|meaning|"
    r"(?:tell me|explain|say) (?:more|further|again)|more (?:about|on|detail)|go on|continue|elaborate|"
    r"(?:can|could|would) you (?:please )?(?:explain|elaborate|clarify|expand|repeat|summari[sz]e|give)\b(?! (?:me )?(?:how|what|why|the difference))|"
    r"(?:is|was|are) (?:that|this|those|these)\b|really\b|are you sure|anything else|what else|who else|where else|"
    r"except|unless|only if|even if|not even"
)
_JOINER: Final = re.compile(r"(?:and|but|or|so|then|also|plus|yet|still|because)\b")
_PREPOSITION: Final = re.compile(
    r"(?:for|with|without|in|at|after|before|from|under|over|by|until|on|about|during|between|of|to|"
    r"as|since|within|per|if|when|not|even|only|just|including|instead|every|through|via)\b"
)
_VERB: Final = re.compile(
    r"\b(?:is|are|was|were|am|be|do|does|did|can|could|should|shall|will|would|may|might|must|has|"
    r"have|had|need|needs|what|what's|how|why|when|where|which|who|whose|explain|tell|describe|define|"
    r"compare|give|show|list)\b"
)
# "It" that refers to nothing: "is it better to rent or buy", "how long does it take to ...".
_EXPLETIVE: Final = re.compile(
    r"\b(?:is|was|would|will|could|can|might|be|does|did|do|when|if) it (?:really |still |ever |even |a |an |make |"
    r"generally |usually |always |be |actually )*(?:good|bad|better|best|worth|wise|smart|possible|safe|"
    r"safer|sensible|sense|ok|okay|necessary|matter|true|hard|easy|easier|worse|idea|legal|illegal|normal|too late|late|"
    r"cheaper|common|likely|important|mistake|allowed|realistic|take|cost|mean|pay|help|hurt|comes|right)\b"
    r"(?= (?:\w+ ){0,3}?(?:to|that|if|for|when|whether|sense|idea|matter|what|buying|selling|paying|"
    r"investing|refinancing|renting|having|getting|keeping|using|waiting|consolidating|\w+ing)\b)"
    r"|\bdoes it make (?:more )?(?:financial )?sense\b|\bit (?:is|comes) (?:to|better|worth)\b|\bworth it to\b"
)
_EXISTENTIAL: Final = re.compile(
    r"\b(?:is|are|was|were|does|do|will|can|would|could) there\b|\bthere (?:is|are|be)\b"
)
_RELATIVE: Final = re.compile(
    # "a fund that tracks", "this year", "the fact that"
    r"\bthis (?:year|month|week|quarter|decade|age|country)\b|\b(?:these|those) (?:days|who|with|over|under)\b|"
    r"(?<!does )(?<!do )(?<!did )(?<!is )(?<!can )(?<!will )(?<!should )(?<!would )(?<=\w )that(?= (?:\w+ ){0,2}(?:\w+s|\w+ed|is|are|was|has|have|can|will|i|you|we|my|the|a|an|do|does|pay|track|hold|grow|offer)\b)"
)
_OWN: Final = re.compile(
    r"\b(?:each other|one another|no one|at once|one (?:year|month|day|percent|time|job|income|person)|one's|once)\b"
)
_PRONOUN: Final = re.compile(
    r"\b(?:it|its|they|them|their|theirs|this|that|these|those|he|she|him|her|his|ones|such|there|"
    r"former|latter|both|neither|former's|itself|themselves)\b(?! of\b)|\b(?:the|a|any|each|which|this|that|every|another|other|\w+er|\w+est) one\b|"
    r"\b(?:the )?(?:same|others?|opposite|rest|remainder)\b"
)
_ADDED: Final = re.compile(
    r"\b(?:too|as well|instead|again|otherwise|either|then|though|similarly|likewise|afterwards|"
    r"beforehand|meanwhile|so|not)\s*\?*$|\b(?:also|instead (?!of))\b|\belse\b|\bany other\b|\bother than\b|"
    r"\banother (?:way|option|reason|example|one)\b"
)
_BOUNDARY: Final = re.compile(
    r"[,;:.?!]| (?:and|or|but|when|before|after|while|because|if|than|so|since|until|as|without|with|that|on|to)\b"
)
_WORD: Final = re.compile(r"[a-z0-9][a-z0-9'/%$.,()-]*")

_FUNCTION: Final = frozenset(
    """a an the i me my mine we us our you your yours he she it its they them their theirs this that
    these those there here who whom whose what which when where why how much many long often far soon
    old big large small high low early late deep quickly fast is are was were am be been being do does
    did done doing can could should shall will would may might must has have had having of in on at to
    for from by with without about into over under after before between during through than then as
    and or but nor so if whether because while until not no yes any some all every each more most less
    least few fewer very too also just only even ever never always usually still again already really
    exactly actually typically generally normally please ok okay well now else other another both
    either same such up down out off per versus vs let's lets s t don't doesn't isn't aren't can't
    won't shouldn't i'm i've i'd what's that's it's there's one ones someone somebody something
    anything everything nothing people person""".split()  # noqa: SIM905
)
# Words that ask about a topic without naming one: "What are the penalties?", "Which is safer?"
_GENERIC: Final = frozenset(
    """get gets got getting give gives given go goes going make makes made making take takes taken
    taking keep keeps put use uses used using need needs needed want wants work works working happen
    happens know known tell explain mean means meaning say says said show think start starts started
    begin stop stops change changes changed apply applies applied depend depends matter matters help
    helps happen cost costs costing charge charged pay pays paid paying owe calculate calculated
    compute computed determine determined count counts qualify qualifies eligible allowed allow
    required require requires cover covers covered include includes included last lasts expire expires
    end ends ending open opened opening close closed choose chosen pick decide find found look compare
    compares compared differ differs lose losing gain increase increased increases decrease reduce
    reduced lower raise raised rise rises rising fall falls drop grow grows exceed limit limits limited
    minimum maximum fee fees penalty penalties deadline downside downsides drawback drawbacks
    disadvantage disadvantages advantage advantages benefit benefits pros cons catch risk risks risky
    safe safer safest good better best bad worse worst cheap cheaper cheapest expensive worth
    worthwhile easy easier hard difficult important necessary possible common typical average normal
    usual rule rules exception exceptions requirement requirements condition conditions option options
    alternative alternatives difference differences example examples reason reasons point purpose idea
    way ways thing things step steps kind kinds type types sort part parts amount amounts number
    numbers percent percentage rate rates share value total sum size level range figure figures time
    times year years month months week weeks day days date age older younger right wrong true false
    sure enough detail details case situation answer question order next first second third last
    earlier later sooner recommended recommend suggest advice advise sensible reasonable realistic
    tax taxes taxed taxable deductible guaranteed insured withdraw withdrawal withdrawals withdrawn
    early money dollar dollars afford sense married single couple couples kids retired
    contribute contributed contributions contribution dependents spouse higher longer shorter smaller
    once twice essential method methods approach approaches account's two three half main major
    biggest suit suits suitable popular prefer preferred saves
    larger bigger quicker faster slower simpler catch-up handle handled treated treat impact affect
    effect works result results stay missed miss skip wait waiting rather automatically""".split()  # noqa: SIM905
)


def depends_on_earlier(question: str) -> bool:
    """Return whether a question refers to the turn before it."""
    text = " ".join(question.replace("\u2019", "'").lower().split())
    if _CHANGE.match(text):
        return False
    if found := _ACKNOWLEDGEMENT.match(text):
        text = text[found.end() :]
        if _CHANGE.match(text):
            return False
    # What stands before the last question may name the topic: "I have a 401(k). Can I borrow from it?"
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


def _refers_back(text: str) -> bool:
    plain = _RELATIVE.sub(" ", _EXISTENTIAL.sub(" ", _OWN.sub(" ", _EXPLETIVE.sub(" ", text))))
    for found in _PRONOUN.finditer(plain):
        if not _has_antecedent(plain[: found.start()]):
            return True
    added = _ADDED.search(plain)
    return added is not None and len(topics(plain)) < 3


def _has_antecedent(before: str) -> bool:
    """Whether an earlier clause of the same question names what a pronoun may mean."""
    boundaries = [found.start() for found in _BOUNDARY.finditer(before)]
    return bool(boundaries) and bool(topics(before[: boundaries[-1]]))


def topics(text: str) -> list[str]:
    """Return the words that name a topic, in lower case."""
    found = (word.strip(".,'()-") for word in _WORD.findall(text.lower()))
    return [
        word
        for word in found
        if word
        and word.removesuffix("'s") not in _FUNCTION
        and word not in _GENERIC
        and not word.replace(",", "").replace(".", "").strip("$%").isdigit()
    ]


def search_text(questions: Sequence[str]) -> str:
    """Return the text to search for: the last question, after those that it depends on.

    Args:
        questions: The user's questions, oldest first.
    """
    start = len(questions) - 1
    while (
        start > 0 and len(questions) - start < _MAX_JOINED and depends_on_earlier(questions[start])
    ):
        start -= 1
    return "\n".join(questions[start:])[-_MAX_CHARACTERS:]
