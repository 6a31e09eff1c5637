"""A policy is data: what is wrong in a file is named, and nothing is made up for a country."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from chat.boundary.policy import PolicyError, built_in_policy, load_policy
from chat.boundary.tests.policies import MINIMAL
from chat.settings import Settings
from shared.settings import SettingsError


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "policy.json"
    path.write_text(json.dumps(deepcopy(MINIMAL) | changes))
    return path


def settings(path: Path) -> Settings:
    return Settings(
        project_name="fin-advisor",
        environment="test",
        service_name="chat",
        api_gateway_url="http://gateway.test/dev",
        chat_model_id="m",
        conversations_table="conversations",
        boundary_policy_path=path,
    )


def test_the_built_in_policy_is_valid_as_a_file_too() -> None:
    path = Path(__file__).parent.parent / "policy.json"
    assert load_policy(path) == built_in_policy()


def test_a_policy_of_ones_own_is_loaded_from_the_path_of_the_settings(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert settings(path).boundary_policy_path == path
    assert load_policy(path).version == "1"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": ""}, "version"),
        ({"surprise": 1}, "surprise"),
        ({"questions": []}, "questions"),
        ({"questions": [{"id": "a", "category": "information", "any": ["x"]}]}, "category"),
        ({"questions": [{"id": "a", "category": "fraud", "any": ["{nothing}"]}]}, "'nothing'"),
        ({"questions": [{"id": "a", "category": "fraud", "any": ["(x"]}]}, r"'a'.*\(x"),
        ({"questions": [{"id": "a", "category": "fraud"}]}, "'a': has no pattern"),
        ({"weights": {"start": {"fraud": 1}, "phrases": {"x": [1, 2]}}}, "'x': needs 1 weights"),
        ({"weights": {"start": {"information": 1}}}, "weights.start.information"),
        ({"answers": {"id": "gems", "any": ["x"]}}, "'gems' is defined twice"),
        ({"texts": {"fraud": "x"}}, "texts.distress"),
        ({"help": {"usa": {}}}, "help.usa"),
        ({"help": {"US": {"fraud": [{"text": "911", "source": "known"}]}}}, "source"),
    ],
)
def test_what_is_wrong_in_a_policy_is_named(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(PolicyError, match=message) as caught:
        load_policy(path)
    assert str(path) in str(caught.value)
    with pytest.raises(SettingsError, match="BOUNDARY_POLICY_PATH"):
        settings(path)


def test_a_file_that_is_missing_or_too_large_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path / "none.json")
    (tmp_path / "large.json").write_bytes(b" " * 1_000_001)
    with pytest.raises(PolicyError, match="larger than"):
        load_policy(tmp_path / "large.json")


def test_a_country_without_an_entry_has_no_help_line(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path))
    assert policy.help_lines("fraud", "NZ") == ["Police: 105."]
    assert policy.help_lines("distress", "NZ") == []
    assert policy.help_lines("fraud", "US") == []
    assert policy.help_lines("fraud", None) == []
