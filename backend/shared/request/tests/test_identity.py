"""Ids from outside are checked before they are logged or sent on."""

import pytest

from shared.request import identity

_ROOT = "1-5759e988-bd862e3fe1be46a994272793"
_TRACE = "5759e988bd862e3fe1be46a994272793"
_PARENT = 0x53995C3F42CD8AD8


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=1", (_TRACE, _PARENT, True)),
        (f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=0", (_TRACE, _PARENT, False)),
        (f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:b:2", (_TRACE, _PARENT, True)),
        (f"Sampled=0;Parent=53995c3f42cd8ad8;Root={_ROOT}", (_TRACE, _PARENT, False)),
        (f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=12", (_TRACE, _PARENT, None)),
        (f" Sampled=1 ; Root={_ROOT} ;Lineage=1:a:0;Self=x", (_TRACE, 0, True)),
        (f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=?", (_TRACE, _PARENT, None)),
        (f"Root={_ROOT};Parent=short", (_TRACE, 0, None)),
        (f"Root={_ROOT.upper()}", None),
        ("Root=1-2-3", None),
        (f"Root=1-{'0' * 8}-{'0' * 24};Parent=53995c3f42cd8ad8;Sampled=1", None),
        ("Parent=53995c3f42cd8ad8;Sampled=1", None),
        ("nonsense;;==;", None),
        (f"Root={_ROOT};{'x' * 600}", None),
        ("", None),
        (None, None),
    ],
)
def test_the_valid_fields_of_an_xray_header_are_read(
    header: str | None, expected: tuple[str, int, bool | None] | None
) -> None:
    assert identity.parse_xray(header) == expected


@pytest.mark.parametrize(
    ("xray", "traceparent", "expected"),
    [
        (f"Root={_ROOT}", None, _TRACE),
        (f"Root={_ROOT};Parent=53995c3f42cd8ad8;Sampled=1", None, _TRACE),
        (f"Self=1-67891234-12456789abcdef012345678a;Root={_ROOT}", None, _TRACE),
        (f" Root={_ROOT} ", None, _TRACE),
        (f"NotRoot={_ROOT}", None, None),
        (f"Root={_ROOT}ff", None, None),
        ("Root=1-5759e988-XYZ", f"00-{'a' * 32}-{'b' * 16}-01", "a" * 32),
        (f"Root={_ROOT}", f"00-{'a' * 32}-{'b' * 16}-01", _TRACE),
        (None, f"00-{'a' * 32}-{'b' * 16}-01-later", "a" * 32),
        (None, "00-short-01", None),
        (None, None, None),
        ("", "", None),
    ],
)
def test_the_xray_header_takes_precedence_over_traceparent(
    xray: str | None, traceparent: str | None, expected: str | None
) -> None:
    assert identity.trace_id_of(identity.parse_xray(xray), traceparent) == expected


@pytest.mark.parametrize("value", ["", "a b", "a\nb", 'a"b', "a" * 129, "é", "a\x00", "<x>"])
def test_an_unsafe_id_is_not_accepted(value: str) -> None:
    assert identity.accept_request_id(value) is None
