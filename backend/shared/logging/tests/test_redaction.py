"""Values of sensitive keys never reach a log line, however deep they are nested."""

import logging
from dataclasses import dataclass
from typing import Any, NamedTuple

import httpx
import pytest
from pydantic import BaseModel

from shared.conftest import Lines
from shared.logging import get_logger

_log = get_logger()


@dataclass
class _Login:
    user: str
    password: str


class _Model(BaseModel):
    name: str
    api_key: str


class _Credentials(NamedTuple):
    """The form of botocore's credentials."""

    access_key: str
    secret_key: str


@pytest.mark.parametrize(
    "fields",
    [
        {"x-api-key": "hunter2"},
        {"X-Api-Key": "hunter2"},
        {"Authorization": "Bearer hunter2"},
        {"password": "hunter2", "secret": "hunter2", "token": "hunter2"},
        {"db_password": "hunter2", "client_secret": "hunter2", "access_token": "hunter2"},
        {"cookie": "hunter2", "x-origin-verify": "hunter2"},
        {"headers": {"x-api-key": "hunter2", "accept": "seen"}},
        {"headers": [{"deep": [{"Authorization": "hunter2"}]}]},
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"token": "hunter2"}}}}}}}},
        {"login": _Login("seen", "hunter2")},
        {"logins": {"one": [_Login("seen", "hunter2")]}},
        {"model": _Model(name="seen", api_key="hunter2")},
        {"token": ["hunter2", {"x": "hunter2"}]},
        {"answer": {"SecretString": "hunter2", "Name": "seen"}},  # as Secrets Manager answers
        {"SecretAccessKey": "hunter2", "SessionToken": "hunter2", "accessToken": "hunter2"},
        {
            "aws_secret_access_key": "hunter2",
            "private_key": "hunter2",
            "tls_private_key": "hunter2",
        },
        {"credentials": _Credentials("seen", "hunter2")},
        {"headers": [("x-api-key", "hunter2"), ("accept", "seen")]},
        {"headers": [["Authorization", "hunter2"], ["accept", "seen"]]},
        {"headers": (("cookie", "hunter2"), ("accept", "seen"))},
        {"raw": httpx.Headers({"X-Api-Key": "hunter2", "accept": "seen"}).raw},
        {"items": httpx.Headers({"X-Api-Key": "hunter2", "accept": "seen"}).multi_items()},
        {"headers": httpx.Headers({"X-Api-Key": "hunter2", "accept": "seen"})},
        {"scope": {"headers": [(b"x-origin-verify", b"hunter2"), (b"accept", b"seen")]}},
        {"pair": ("x-api-key", "hunter2")},
    ],
)
def test_values_of_sensitive_keys_are_never_written(lines: Lines, fields: dict[str, Any]) -> None:
    _log.info("x", **fields)
    written = lines.stream.getvalue()
    assert b"hunter2" not in written
    assert (b"seen" in written) == ("seen" in repr(fields)), "other values are written"
    assert lines.all()[0]["event"] == "x"


def test_keys_that_only_contain_a_sensitive_word_are_written(lines: Lines) -> None:
    _log.info("x", input_tokens=12, output_tokens=3, keys=["a"], secret_name="p/dev/api/api-key")
    line = lines.all()[0]
    assert (line["input_tokens"], line["output_tokens"], line["keys"]) == (12, 3, ["a"])
    assert line["secret_name"] == "p/dev/api/api-key"


def test_personal_numbers_are_masked_in_every_text_of_a_line(lines: Lines) -> None:
    card = "4111-1111-1111-1111"
    fields = {"question": f"Is {card} mine?", "parts": [{"a": card}], "n": 7}
    try:
        int(f"account {card}")
    except ValueError:
        _log.exception(f"failed for {card}", **fields)
    logging.getLogger("library").warning("charged %s", card)
    first, second = lines.all()
    assert card not in lines.stream.getvalue().decode()
    assert first["event"] == "failed for [card number]"
    assert (first["question"], first["n"]) == ("Is [card number] mine?", 7)
    assert first["parts"] == [{"a": "[card number]"}]
    assert "'account [card number]'" in first["exception"][0]["message"]
    assert first["exception"][0]["frames"]
    assert second["event"] == "charged [card number]"
