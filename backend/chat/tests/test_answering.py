"""An answer contains only what relevant passages prove, and its status says so."""

from datetime import date
from typing import Any

import pytest

from chat.answering import NOTHING_FOUND, NOTHING_PROVEN, Answerer
from chat.answers.check import Segment
from chat.boundary.advice import AdviceBoundary
from chat.boundary.guard import Guard
from chat.boundary.policy import built_in_policy
from chat.history import Exchange
from chat.relevance import RelevanceGate
from chat.retrieval import Retrieved
from chat.tests.fakes import SAVE, FakeGuard, FakeModel, FakeRetriever, passage
from shared.answers import CheckedAnswer
from shared.errors import Unavailable

pytestmark = pytest.mark.anyio

QUESTION = "How much of my income do I save?"
DEBT = "Debt costs 20 percent interest a year."


async def ask(
    model: FakeModel,
    *,
    question: str = QUESTION,
    history: tuple[Exchange, ...] = (),
    retriever: FakeRetriever | None = None,
    threshold: float | None = 0.1,
    country: str | None = None,
    guard: Guard | None = None,
) -> CheckedAnswer:
    answerer = Answerer(
        retriever or FakeRetriever(passage(0), passage(1, text=DEBT)),
        model,
        gate=RelevanceGate(threshold),
        boundary=AdviceBoundary(built_in_policy(), country=country, guard=guard),
        disclosure="An AI wrote this.",
        history_tokens=1_000,
        today=lambda: date(2026, 11, 28),
    )
    return await answerer.answer(question, history, top_k=5, metadata_filter=None)


async def test_an_answer_has_markers_quotes_and_spans() -> None:
    answer = await ask(FakeModel("Save 10 percent of your income first [savings#0]."))
    assert answer.answer == "Save 10 percent of your income first [1]."
    assert (answer.status, answer.stop_reason, answer.relevance) == (
        "answered",
        "end_turn",
        "relevant",
    )
    (citation,) = answer.citations
    assert (citation.marker, citation.passage_id, citation.title) == (1, "savings#0", "Savings")
    assert citation.quote == SAVE[citation.start : citation.end] == SAVE
    assert [answer.answer[one.start : one.end] for one in citation.spans] == [answer.answer]
    assert answer.disclosure == "An AI wrote this."
    assert (answer.usage.input_tokens, answer.model_id) == (10, "fake-model")


async def test_offsets_count_code_points() -> None:
    text = f"\U0001f4b0 is money. {SAVE}"
    answer = await ask(
        FakeModel("Save 10 percent of your income first [savings#0]."),
        retriever=FakeRetriever(passage(0, text=text)),
    )
    (citation,) = answer.citations
    assert text[citation.start : citation.end] == citation.quote == SAVE


async def test_a_wrong_figure_is_removed_with_its_reason() -> None:
    answer = await ask(
        FakeModel(f"{SAVE[:-1]} [savings#0]. Debt costs 12 percent interest a year [savings#1].")
    )
    assert answer.status == "partial"
    assert "12" not in answer.answer
    assert [(one.sentence, one.reason) for one in answer.removed] == [
        ("Debt costs 12 percent interest a year.", "number_not_in_source")
    ]


async def test_an_answer_of_which_nothing_is_proven_is_unknown() -> None:
    answer = await ask(FakeModel("Debt costs 12 percent interest a year [savings#1]."))
    assert (answer.status, answer.answer, answer.citations) == ("unknown", NOTHING_PROVEN, [])
    assert answer.model_id == "fake-model"


async def test_an_answer_that_was_cut_off_is_incomplete() -> None:
    model = FakeModel(f"{SAVE[:-1]} [savings#0]. Debt costs", stop_reason="max_tokens")
    answer = await ask(model)
    assert (answer.status, answer.stop_reason) == ("incomplete", "max_tokens")
    assert answer.answer == f"{SAVE[:-1]} [1]."


async def test_bedrocks_own_citations_pass_the_same_checks() -> None:
    model = FakeModel(
        Segment(SAVE, ("savings#0",)),
        Segment(" "),
        Segment("Debt costs 12 percent interest a year.", ("savings#1",)),
    )
    answer = await ask(model)
    assert answer.answer == f"{SAVE[:-1]} [1]."
    assert [one.reason for one in answer.removed] == ["number_not_in_source"]


async def test_page_and_date_of_the_document_are_cited() -> None:
    answer = await ask(FakeModel(), retriever=FakeRetriever(passage(0, page=7, as_of="2026-01-01")))
    assert (answer.citations[0].page, answer.citations[0].as_of) == (7, "2026-01-01")


@pytest.mark.parametrize(
    ("retriever", "relevance"),
    [(FakeRetriever(), None), (FakeRetriever(passage(0, score=0.05)), "irrelevant")],
)
async def test_without_a_relevant_passage_the_model_is_not_asked(
    retriever: FakeRetriever, relevance: str | None
) -> None:
    model = FakeModel()
    answer = await ask(model, question="Who won the match?", retriever=retriever)
    assert (answer.answer, answer.status, answer.relevance) == (NOTHING_FOUND, "unknown", relevance)
    assert (model.given, answer.model_id, answer.stop_reason) == ([], None, None)


async def test_an_embedding_model_without_a_threshold_is_uncalibrated() -> None:
    found = FakeRetriever(passage(0, score=0.01), embedding_model="amazon.titan-embed-text-v2:0")
    answer = await ask(FakeModel(), retriever=found, threshold=None)
    assert (answer.status, answer.relevance) == ("answered", "uncalibrated")


async def test_a_greeting_needs_no_document_and_no_model() -> None:
    model, retriever = FakeModel(error=Unavailable("down")), FakeRetriever()
    answer = await ask(model, question="Hello!", retriever=retriever)
    assert (answer.status, answer.model_id, answer.citations) == ("answered", None, [])
    assert answer.answer.startswith("Hello.")
    assert retriever.asked == []


async def test_a_follow_up_is_searched_with_the_earlier_question_and_a_new_topic_alone() -> None:
    retriever = FakeRetriever(passage(0))
    earlier = (Exchange("How do bonds work?", "They pay interest.", verified=True),)
    await ask(FakeModel(), question="Are they safe?", history=earlier, retriever=retriever)
    new = "How does inflation affect credit unions?"
    await ask(FakeModel(), question=new, history=earlier, retriever=retriever)
    assert [text for text, _, _ in retriever.asked] == [
        "How do bonds work?\nAre they safe?",
        new,
    ]


async def test_two_searches_keep_the_closest_passages_of_both() -> None:
    joined = FakeRetriever(passage(0, score=0.3), passage(1, score=0.2))
    alone = FakeRetriever(passage(1, score=0.4), passage(2, score=0.1))

    class EitherRetriever(FakeRetriever):
        async def retrieve(
            self, text: str, *, top_k: int, metadata_filter: dict[str, Any] | None
        ) -> Retrieved:
            chosen = joined if "\n" in text else alone
            return await chosen.retrieve(text, top_k=top_k, metadata_filter=metadata_filter)

    model = FakeModel()
    await ask(
        model,
        question="If I sell my house, is it taxed?",
        history=(Exchange("How do bonds work?"),),
        retriever=EitherRetriever(),
    )
    assert (len(joined.asked), len(alone.asked)) == (1, 1)
    shown = [model.prompt.index(f'<passage id="savings#{number}"') for number in (1, 0, 2)]
    assert shown == sorted(shown)


async def test_a_greeting_between_two_questions_is_not_searched_for() -> None:
    retriever = FakeRetriever(passage(0))
    earlier = (Exchange("How do bonds work?"), Exchange("Thanks!"))
    await ask(FakeModel(), question="Are they safe?", history=earlier, retriever=retriever)
    assert retriever.asked[0][0] == "How do bonds work?\nAre they safe?"


async def test_the_model_gets_the_date_the_passages_and_the_earlier_turns() -> None:
    model = FakeModel()
    await ask(model, history=(Exchange("What is debt?", "A loan."),))
    system, messages = model.given[0]
    assert "Today is 2026-11-28" in system
    assert len(messages) == 1
    assert '<passage id="savings#0"' in model.prompt
    assert '<replied verified="no">A loan.</replied>' in model.prompt


@pytest.mark.parametrize(
    ("question", "category", "line"),
    [
        ("I want to kill myself because of my debts.", "distress", "call or text 988"),
        ("Someone called and asked me for my PIN.", "fraud", "reportfraud.ftc.gov"),
    ],
)
async def test_distress_and_fraud_get_help_at_once(question: str, category: str, line: str) -> None:
    model, retriever = FakeModel(error=Unavailable("down")), FakeRetriever()
    guard = FakeGuard(error=Unavailable("down"))
    answer = await ask(model, question=question, retriever=retriever, guard=guard, country="US")
    assert (answer.status, answer.model_id, answer.citations) == ("refused", None, [])
    assert answer.boundary is not None
    assert answer.boundary.category == category
    assert answer.boundary.policy_version == built_in_policy().version
    assert line in answer.answer
    assert (retriever.asked, model.given, guard.asked) == ([], [], [])


async def test_a_question_for_information_has_no_rule() -> None:
    answer = await ask(FakeModel())
    assert answer.boundary is not None
    assert (answer.boundary.category, answer.boundary.rule) == ("information", None)


async def test_a_recommendation_gets_the_general_information_there_is() -> None:
    model = FakeModel("Save 10 percent of your income first [savings#0].")
    answer = await ask(model, question="Should I save more of my income?", country="US")
    texts = built_in_policy().texts
    first, general, last = answer.answer.split("\n\n", 2)
    assert (first, general) == (
        texts.recommendation_first,
        "Save 10 percent of your income first [1].",
    )
    assert last.startswith(texts.recommendation_last)
    assert "adviserinfo.sec.gov" in last
    assert answer.status == "partial"
    (citation,) = answer.citations
    assert [answer.answer[one.start : one.end] for one in citation.spans] == [general]
    assert "Recommend nothing" in model.given[0][0]
    assert answer.boundary is not None
    assert (answer.boundary.category, answer.boundary.rule) == ("recommendation", "decision")


async def test_figures_of_the_question_are_marked_where_they_stand() -> None:
    model = FakeModel("Of $4,000, 10 percent of $4,000 = $400 is saved first [savings#0].")
    answer = await ask(model, question="Should I save 10 percent of $4,000 a month first?")
    marked = [answer.answer[one.start : one.end] for one in answer.question_figures]
    assert all("4,000" in one or "$" in one for one in marked)
    assert marked


@pytest.mark.parametrize(
    ("retriever", "model_id"),
    [(FakeRetriever(), None), (FakeRetriever(passage(0)), "fake-model")],
)
async def test_a_recommendation_without_general_information_is_refused(
    retriever: FakeRetriever, model_id: str | None
) -> None:
    model = FakeModel("Sell your house and buy Bitcoin now [savings#0].")
    answer = await ask(model, question="Should I sell my house?", retriever=retriever)
    assert answer.answer == built_in_policy().texts.recommendation_refused
    assert (answer.status, answer.citations, answer.model_id) == ("refused", [], model_id)


async def test_an_answers_own_recommendation_is_removed_with_what_depends_on_it() -> None:
    text = "Bonds pay interest. You should buy bonds now. Funds charge fees."
    model = FakeModel(
        "Bonds pay interest [savings#0]. You should buy bonds now [savings#0]. "
        "This is why it pays [savings#0]. Funds charge fees [savings#0]."
    )
    answer = await ask(
        model, question="How do bonds work?", retriever=FakeRetriever(passage(0, text=text))
    )
    assert answer.answer == "Bonds pay interest [1]. Funds charge fees [2]."
    assert answer.status == "partial"
    assert [one.reason for one in answer.removed] == ["recommendation"] * 2


async def test_a_heading_that_recommends_is_removed_and_reported() -> None:
    model = FakeModel("# My advice is to buy\n\nSave 10 percent of your income first [savings#0].")
    answer = await ask(model)
    assert "advice" not in answer.answer
    assert [(one.sentence, one.reason) for one in answer.removed] == [
        ("My advice is to buy", "recommendation")
    ]


async def test_a_guard_refuses_a_question_before_anything_is_searched() -> None:
    retriever, guard = FakeRetriever(passage(0)), FakeGuard("income")
    answer = await ask(FakeModel(), retriever=retriever, guard=guard)
    assert (answer.status, answer.answer) == (
        "refused",
        built_in_policy().texts.guardrail_refused,
    )
    assert answer.boundary is not None
    assert (answer.boundary.category, answer.boundary.rule) == ("information", "guardrail/Topic")
    assert (retriever.asked, guard.asked) == ([], [(QUESTION, "question")])


async def test_a_guard_refuses_an_answer() -> None:
    guard = FakeGuard("10 percent")
    answer = await ask(FakeModel(), guard=guard)
    assert (answer.status, answer.citations) == ("refused", [])
    assert answer.answer == built_in_policy().texts.guardrail_refused
    assert answer.boundary is not None
    assert answer.boundary.rule == "guardrail/Topic"
    assert [source for _, source in guard.asked] == ["question", "answer"]


async def test_a_guard_that_cannot_judge_lets_nothing_through() -> None:
    model = FakeModel()
    with pytest.raises(Unavailable):
        await ask(model, guard=FakeGuard(error=Unavailable("down")))
    assert model.given == []
