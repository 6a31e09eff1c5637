"""Fixed replies to greetings, thanks, goodbyes and questions about the assistant.

These need no documents and no model.
"""

import re
from typing import Final

# What may follow a greeting: "hello there", "thanks a lot".
_FILLER: Final = (
    r"there|again|all|everyone|everybody|team|assistant|bot|friend|sir|madam|very much|so much|"
    r"a lot|"
    r"for (?:your|the|all the|all your) (?:help|answers?|explanations?)|that (?:helps|"
    r"helped)(?: a lot)?|"
    r"that(?:'s| is) (?:all|great|helpful|very helpful)|i appreciate (?:it|your help)"
)
# A pattern and its reply. If a question matches several, the reply of the first is given.
_KINDS: Final = (
    (
        r"(?:who|what) (?:are|r) you|what(?:'s| is) your name|what can (?:you|i) (?:do|"
        r"ask)(?: you)?|"
        r"what do you do|how can you help(?: me)?|(?:can|could) you help(?: me)?|help|"
        r"what can you help(?: me)? with|what can i ask you(?: about)?|"
        r"are you (?:an? )?(?:ai|bot|robot|human|person|real|machine|computer)(?: person)?|"
        r"introduce yourself",
        "I am an AI assistant for questions about personal finance. I answer from the stored "
        "documents and name the sentence that each statement rests on. What would you like to "
        "know?",
    ),
    (
        r"(?:good ?)?bye(?: bye)?|see you(?: later| soon)?|good night|take care|have a (?:nice|"
        r"good|great) day",
        "Goodbye. Ask again whenever you like.",
    ),
    (
        r"(?:many |ok |okay )?(?:thanks|thank you|thx|ty|cheers|much appreciated)|great|perfect|"
        r"got it|"
        r"ok|okay|cool|awesome|nice|understood",
        "You are welcome. Is there anything else that you would like to know?",
    ),
    (
        r"hello|hi|hiya|hey|howdy|greetings|good (?:morning|afternoon|evening|day)|"
        r"how are you(?: doing)?(?: today)?|"
        r"what(?:'s| is) up|nice to meet you",
        "Hello. Ask me a question about personal finance, and I answer from the stored documents.",
    ),
)
_PATTERNS: Final = tuple((re.compile(rf"(?:{words})(?= |$)"), reply) for words, reply in _KINDS)
_FILLERS: Final = re.compile(rf"(?:{_FILLER})(?= |$)")
_MAX_CHARACTERS: Final = 100


def greeting(question: str) -> str | None:
    """Return the reply if the question consists only of such phrases, otherwise None."""
    rest = re.sub(r"[^\w' ]+", " ", question[: _MAX_CHARACTERS + 1].replace("\u2019", "'").lower())
    rest = " ".join(rest.split())
    if not rest or len(question) > _MAX_CHARACTERS:
        return None
    replies: set[str] = set()
    while rest:
        found = next(
            ((match, reply) for pattern, reply in _PATTERNS if (match := pattern.match(rest))), None
        )
        match = found[0] if found else _FILLERS.match(rest) if replies else None
        if match is None:
            return None
        if found:
            replies.add(found[1])
        rest = rest[match.end() :].lstrip()
    # In the order of `_KINDS`: "hello, who are you" gets the reply about the assistant.
    return next(reply for _, reply in _PATTERNS if reply in replies)
