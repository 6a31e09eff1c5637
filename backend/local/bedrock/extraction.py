"""Answers without a model: the sentences of the retrieved passages that fit the question best."""

import html
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from local.bedrock.embedding import stem, words

UNKNOWN = "I don't know. The documents I have do not answer that."

_PASSAGE = re.compile(r"<passage\b(?P<attributes>[^>]*)>(?P<text>.*?)</passage>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_EARLIER_QUESTION = re.compile(r"<asked>(.*?)</asked>", re.DOTALL)
_QUESTION = re.compile(r"<question>(.*?)</question>", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(])")
_HEADING = re.compile(r"\s*#{1,6}\s")
_ITEM = re.compile(r"\s*(?:[-*+\u2022\u2013]|\d{1,3}[.)])\s+(?=\S)")
_RULE = re.compile(r"[\s|:-]*--[\s|:-]*")
_BAR = re.compile(r"(?<!\\)\|")
_QUANTITY = re.compile(r"\bhow (?:large|big|much|many|long|high|old|often)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|half)\b"
)
_DEFINITION = re.compile(
    r"\s*(?:what(?:['\u2019]s|\s+(?:is|are|does|do))|define|explain|describe|tell me about)\s+"
    r"(?P<term>[^?]{1,80}?)(?:\s+mean)?[\s?.!]*",
    re.IGNORECASE,
)
# Words of a question that are not about its subject.
_QUESTION_WORDS = frozenset(
    ["define", "definition", "describe", "difference", "explain", "mean", "meaning", "tell", "work"]
)
_TOKEN = re.compile(r"[\w'-]+")
_LEADING_WORDS = frozenset(["a", "an", "the", "to"])
_DEFINING_VERBS = frozenset(["is", "are", "means", "describes", "refers"])
_LONGEST_TERM = 3
_SENTENCES = 4
_PER_PASSAGE = 2
_LEAST_SHARED_WORDS = 2


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the prompt. An answer cites it by `passage_id`."""

    passage_id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Extract:
    """A sentence of the answer, and the index of the passage that it comes from."""

    text: str
    passage: int


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that may be part of the answer. `shared` counts the words of the question that are
    in it or in its passage's title.
    """

    score: float
    shared: int
    passage: int
    position: int
    text: str


def read_prompt(prompt: str) -> tuple[list[Passage], str]:
    """The passages of the prompt, and the question."""
    passages = []
    for found in _PASSAGE.finditer(prompt):
        attributes = dict(_ATTRIBUTE.findall(found["attributes"]))
        passages.append(
            Passage(
                html.unescape(attributes.get("id", "")),
                html.unescape(attributes.get("title", "")),
                html.unescape(found["text"]).strip(),
            )
        )
    asked = _QUESTION.search(prompt)
    question = asked[1] if asked else _PASSAGE.sub("", prompt)
    return passages, html.unescape(question).strip()


def earlier_question(prompt: str) -> str:
    """The last question before this one; empty in a new conversation."""
    asked = _EARLIER_QUESTION.findall(prompt)
    return html.unescape(asked[-1]).strip() if asked else ""


def extract_answer(passages: Sequence[Passage], question: str, earlier: str = "") -> str:
    """The sentences of `extract_follow_up`, each with `[passage id]`; `UNKNOWN` without any."""
    found = extract_follow_up(passages, question, earlier)
    cited = (f"{item.text} [{passages[item.passage].passage_id}]" for item in found)
    return " ".join(cited) or UNKNOWN


def extract_follow_up(
    passages: Sequence[Passage], question: str, earlier: str = ""
) -> list[Extract]:
    """The sentences that `extract` finds for `question`. If there are none, those that it finds for
    the `earlier` question and this one together, if they share a word with this one.
    """
    found = extract(passages, question)
    if found or not earlier:
        return found
    own = _question_stems(question)
    return [
        item
        for item in extract(passages, f"{earlier} {question}")
        if own & {stem(word) for word in words(item.text)}
    ]


def extract(passages: Sequence[Passage], question: str) -> list[Extract]:
    """The sentences that fit best: the best passage first, and in each the order of the text.

    Empty when no passage shares enough words with the question.
    """
    asked = _question_stems(question)
    chosen = _choose(_rank(passages, question, asked), min(_LEAST_SHARED_WORDS, len(asked)))
    order = list(dict.fromkeys(sentence.passage for sentence in chosen))
    chosen.sort(key=lambda sentence: (order.index(sentence.passage), sentence.position))
    return [Extract(sentence.text, sentence.passage) for sentence in chosen]


def _question_stems(question: str) -> set[str]:
    found = words(question)
    return {stem(word) for word in found if word not in _QUESTION_WORDS} or {
        stem(word) for word in found
    }


def _term(question: str) -> list[str]:
    """The stems of X in "What is X?"; empty for other questions."""
    found = _DEFINITION.fullmatch(question)
    term = [stem(word) for word in words(found["term"])] if found else []
    return term if len(term) <= _LONGEST_TERM else []


def _definition_weight(text: str, position: int, term: Sequence[str]) -> float:
    """The factor for a sentence that begins with the term: highest if it begins the passage and
    says "X is". 1 for other sentences.
    """
    tokens = [token.lower() for token in _TOKEN.findall(text)]
    if tokens and tokens[0] in _LEADING_WORDS:
        del tokens[0]
    size = len(term)
    if not term or [stem(token) for token in tokens[:size]] != list(term):
        return 1.0
    has_verb = bool(_DEFINING_VERBS.intersection(tokens[size : size + 1]))
    return 2.0 * (1.5 if has_verb else 1.0) * (2.0 if position == 0 else 1.0)


def _rank(passages: Sequence[Passage], question: str, asked: set[str]) -> list[_Sentence]:
    rarity = _rarity(passages, asked)
    wants_number = _QUANTITY.search(question) is not None
    term = _term(question)
    ranked = []
    for number, passage in enumerate(passages):
        title = {stem(word) for word in words(passage.title)} & asked
        for position, text in enumerate(_sentences(passage.text)):
            found = [stem(word) for word in words(text)]
            shared = asked & set(found)
            if not shared:
                continue
            about = shared | title
            score = sum(rarity[word] for word in shared)
            score += 0.5 * sum(rarity[word] for word in title)
            score /= math.sqrt(8 + len(found))  # long sentences share words by chance
            if wants_number and _NUMBER.search(text):
                score *= 1.5
            score *= _definition_weight(text, position, term)
            ranked.append(_Sentence(score, len(about), number, position, text))
    return sorted(ranked, key=lambda sentence: -sentence.score)


def _choose(ranked: Sequence[_Sentence], needed: int) -> list[_Sentence]:
    chosen: list[_Sentence] = []
    taken: Counter[int] = Counter()
    for sentence in ranked:
        if sentence.shared < needed or sentence.score < 0.35 * ranked[0].score:
            continue
        if taken[sentence.passage] < _PER_PASSAGE and len(chosen) < _SENTENCES:
            taken[sentence.passage] += 1
            chosen.append(sentence)
    return chosen


def _rarity(passages: Sequence[Passage], asked: set[str]) -> dict[str, float]:
    """The weight of each word of the question: higher if fewer passages contain the word."""
    passages_with: Counter[str] = Counter()
    for passage in passages:
        passages_with.update(
            asked & {stem(word) for word in words(f"{passage.title} {passage.text}")}
        )
    return {word: math.log(1 + (1 + len(passages)) / (1 + passages_with[word])) for word in asked}


def _sentences(text: str) -> list[str]:
    """The sentences of a passage. A row of a table is one; so is an item of a list, with the words
    before the list: "Notice: 30 days".
    """
    found: list[str] = []
    block: list[str] = []
    columns: list[str] = []
    lead_in = ""
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        row, item, is_rule = _cells(line), _ITEM.match(line), _RULE.fullmatch(line)
        if not (row or item or is_rule or not line.strip() or _HEADING.match(line)):
            if not block:
                lead_in = ""
            block.append(line)
            continue
        found += _split(block)
        block = []
        if item:
            if found and found[-1].endswith(":"):
                lead_in = found.pop()
            block = [lead_in, line[item.end() :]]
        elif line.strip():
            lead_in = ""
        if row and _RULE.fullmatch(following):
            columns = row
        elif row and not is_rule:
            found.append(_row_sentence(columns, row))
        elif not is_rule:
            columns = []
    return found + _split(block)


def _split(lines: Sequence[str]) -> list[str]:
    flat = " ".join(" ".join(lines).split())
    return [sentence.strip() for sentence in _SENTENCE_END.split(flat) if sentence.strip()]


def _cells(line: str) -> list[str]:
    """The cells of a row of a table of Markdown; empty for any other line."""
    cells = [cell.strip().replace("\\|", "|") for cell in _BAR.split(line)]
    if not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells if len(cells) > 1 else []


def _row_sentence(columns: Sequence[str], row: Sequence[str]) -> str:
    """A row as a model would write it: "Account: Blue Harbour; Rate: 4.1 %."."""
    names = [*columns, *[""] * len(row)]
    cells = ((name, cell) for name, cell in zip(names, row, strict=False) if cell)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells).rstrip(".") + "."
