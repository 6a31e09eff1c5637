"""Every value can be logged: what JSON cannot represent becomes text."""

import enum
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.conftest import Lines
from shared.logging import get_logger, timestamp
from shared.logging.tests.values import Unprintable

_log = get_logger()


def test_the_timestamp_is_the_current_time() -> None:
    before = datetime.now(UTC).timestamp()
    stamped = datetime.fromisoformat(timestamp()).timestamp()
    assert before - 0.001 <= stamped <= datetime.now(UTC).timestamp()


class _Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (object, "<class 'object'>"),
        (b"bytes", "b'bytes'"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (2**80, str(2**80)),
        (-(2**80), str(-(2**80))),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ({"k\ud800": 1}, "{'k\\ud800': 1}"),
        (float("nan"), None),
        (float("inf"), None),
        ({1, 2}, [1, 2]),
        ((1, "two"), [1, "two"]),
        ({1: "int key", None: "none key"}, {"1": "int key", "None": "none key"}),
        (_Colour.RED, "red"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (datetime(2024, 12, 7, 10, 30, 45, tzinfo=UTC), "2024-12-07T10:30:45Z"),
        (Unprintable(), "<Unprintable: no repr, RuntimeError>"),
    ],
)
def test_values_that_json_cannot_represent_leave_the_other_fields_intact(
    lines: Lines, value: object, written: object
) -> None:
    _log.info("x", value=value, status=200, duration=0.5)
    (line,) = lines.all()
    assert line["value"] == written
    assert (line["status"], line["duration"], line["service"]) == (200, 0.5, "api")


class _Unreadable(Mapping[str, int]):
    """A mapping that raises when it is read."""

    def __getitem__(self, key: str) -> int:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("changed during iteration")

    def __len__(self) -> int:
        return 1


def test_logging_raises_for_no_value(lines: Lines) -> None:
    nested: list[Any] = []
    nested.append(nested)
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic
    for value in (nested, cyclic, _Unreadable(), {Unprintable(): 1}):
        _log.info("x", status=200, value=value)
    _log.info("\ud800", **{"key \ud800": 1})
    assert [line["event"] for line in lines.all()] == ["x", "x", "x", "x", "\\ud800"]
    assert all(line["timestamp"] and line["service"] == "api" for line in lines.all())
