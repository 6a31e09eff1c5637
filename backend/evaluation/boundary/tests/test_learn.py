"""The weights are learned from labelled questions, and written so that a change can be read."""

import json
from pathlib import Path

import pytest

from chat.boundary.policy import Policy, Weights, load_policy
from chat.boundary.tests.policies import MINIMAL
from chat.boundary.wording import Wording
from evaluation.boundary import learn as learning
from evaluation.boundary.learn import learn, written
from evaluation.boundary.measure import Labelled

ASKED = [
    *(Labelled(f"What does a {word} cost?", "information") for word in ("loan", "fund", "bond")),
    *(Labelled(f"Do I buy the {word}?", "recommendation") for word in ("loan", "fund", "bond")),
    *(Labelled(f"I cry over the {word}.", "distress") for word in ("loan", "fund", "bond")),
    *(Labelled(f"He stole the {word}.", "fraud") for word in ("loan", "fund", "bond")),
]


@pytest.mark.parametrize(
    ("question", "category"),
    [
        ("what does a house cost?", None),
        ("do i buy the house?", "recommendation"),
        ("i cry over the house.", "distress"),
        ("he stole the house.", "fraud"),
    ],
)
def test_a_word_that_no_question_had_does_not_hide_the_category(
    question: str, category: str | None
) -> None:
    assert Wording(Weights.model_validate(learn(ASKED))).category(question) == category


def test_a_phrase_of_a_single_question_has_no_weight() -> None:
    phrases = learn(ASKED)["phrases"]
    assert "cry" in phrases
    assert "cry over the" in phrases
    assert "buy the loan" not in phrases


def test_a_policy_file_keeps_the_rest_and_has_a_phrase_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(learning, "questions", lambda name: ASKED if name == "development" else [])
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(MINIMAL))
    learning.main([str(path)])
    policy = load_policy(path)
    assert policy == Policy.model_validate(MINIMAL | {"weights": learn(ASKED)})
    assert sum(line.strip().startswith('"cry":') for line in path.read_text().splitlines()) == 1
    assert written(json.loads(path.read_text())) == path.read_text()
    assert f"{len(policy.weights.phrases)} phrases" in capsys.readouterr().out


def test_without_a_file_the_usage_is_said() -> None:
    with pytest.raises(SystemExit, match="POLICY_FILE"):
        learning.main([])
