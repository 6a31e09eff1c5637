"""The X-Amzn-Trace-Id header."""

import re

import pytest

from local.traces.xray_header import TraceHeader

ROOT = "1-67891233-abcdef012345678912345678"


def test_the_callers_context_is_kept() -> None:
    value = f"Root={ROOT};Parent=463ac35c9f6413ad;Sampled=0"
    assert str(TraceHeader.parse(value)) == value


def test_a_root_alone_keeps_its_trace_id_and_gets_a_parent() -> None:
    header = TraceHeader.parse(f"Root={ROOT}")
    assert header.root == ROOT
    assert re.fullmatch(r"[0-9a-f]{16}", header.parent)
    assert header.sampled


@pytest.mark.parametrize("value", [None, "", "nonsense", "Root=1-2-3", "Root=;Parent=x;;="])
def test_new_ids_replace_what_is_missing_or_malformed(value: str | None) -> None:
    made = str(TraceHeader.parse(value))
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1", made)
