"""Writes docs/gateway-cases.md from the recorded cases.

`./pants run backend/local/tests:recorded_table`. A test compares the page with the cases.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local.aws.tests import recorded_invocations
from local.aws.tests.recorded_invocations import INVOCATIONS, Invocation
from local.gateway.tests import recorded_cases
from local.gateway.tests.recorded_cases import CASES, Case

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gateway-cases.md"
_LONGEST = 110
_HEADER = ("case", "sent", "AWS answers", "we answer", "source")


def text() -> str:
    """The page."""
    cases = [_case(case) for case in CASES]
    invocations = [_invocation(case) for case in INVOCATIONS]
    both: list[Case | Invocation] = [*CASES, *INVOCATIONS]
    different = [(case.name, case.reason) for case in both if case.reason]
    total, same = len(both), sum(not case.ours for case in both)
    return "\n".join(
        [
            "# What AWS answers, and what the local gateway answers",
            "",
            "API Gateway's and Lambda's answers where they are recorded or documented. "
            "A test sends each case to the local gateway or to",
            f"the local Invoke: of {total} cases, {same} are answered alike. `./pants run "
            "backend/local/tests:recorded_table` writes this page from",
            "the cases in `backend/local/gateway/tests/recorded_cases.py` and "
            "`backend/local/aws/tests/recorded_invocations.py`.",
            "",
            "## Left different or partly recorded",
            "",
            *_table(("case", "reason"), different),
            "",
            "Beside the cases: names of headers in answers are in lower case, as HTTP/2 sends "
            "them; the regular expression in the message for",
            "a wrong function name groups differently; a path's dot segments are resolved before "
            "a web service gets it.",
            "",
            "## API Gateway",
            "",
            *_table(_HEADER, cases),
            "",
            *_sources(recorded_cases.SOURCES),
            "",
            "## Lambda's Invoke",
            "",
            *_table(_HEADER, invocations),
            "",
            *_sources(recorded_invocations.SOURCES),
            "",
        ]
    )


def _case(case: Case) -> tuple[str, ...]:
    sent = (
        f"result {json.dumps(case.sent['result'])}"
        if "result" in case.sent
        else " ".join(
            [case.sent["request"], *(f"`{name}: {value}`" for name, value in case.sent["headers"])]
        )
    )
    return (case.name, sent, _values(case.aws), _ours(case.aws, case.ours), case.source)


def _invocation(case: Invocation) -> tuple[str, ...]:
    sent = [case.function, *([f"Qualifier={case.qualifier}"] if case.qualifier else [])]
    sent += [f"`{name}: {value}`" for name, value in case.headers.items()]
    sent += [ascii(case.payload)[1:]]
    return (case.name, " ".join(sent), _values(case.aws), _ours(case.aws, case.ours), case.source)


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} = {_value(value)}" for path, value in values.items())


def _value(value: Any) -> str:
    if value is None:
        return "absent"
    if value is ...:
        return "present"
    return ascii(value)[1:] if isinstance(value, bytes) else json.dumps(value)


def _ours(aws: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    return _values(ours) if ours else "the same" if aws else ""


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [header, tuple("---" for _ in header), *rows]
    return [f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines]


def _cell(content: str) -> str:
    short = content if len(content) <= _LONGEST else f"{content[: _LONGEST - 1].rstrip()}…"
    escaped = short.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    return escaped + "`" * (escaped.count("`") % 2)


def _sources(sources: Mapping[str, str]) -> list[str]:
    return [f"* {name}: {source.replace('*', chr(92) + '*')}" for name, source in sources.items()]


if __name__ == "__main__":
    PAGE.write_text(text())
