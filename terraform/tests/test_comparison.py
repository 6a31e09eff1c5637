"""A plan is compared with the tables, and with what each new service adds to them."""

from typing import Any

import pytest

from tests.comparison import differences, without
from tests.tables import Instance, encoded

TABLE: dict[str, Any] = {
    "role[api, chat]": {"name": "{key}", "size": 1},
    "api": {"peers": "chat,runner", "rows": ["api", "chat"], "limit": {"dev": 1, "prod": 2}},
}
BILLING: dict[str, Any] = {
    "role[billing]": {"name": "{key}", "size": 2},
    "api": {"peers": "billing", "rows": ["billing"], "keys.billing": ["1"]},
    "billing": {"right": ["get"]},
}
TAX: dict[str, Any] = {"api": {"peers": "tax", "rows": ["tax", "tax too"]}}


def _plan(**changed: Any) -> list[Instance]:
    values = {
        "peers": "billing,chat,runner",
        "rows": ["api", "billing", "chat"],
        "limit": 1,
        "keys.billing": ["1"],
        **changed,
    }
    found = [
        Instance("role", name, "dev", {"name": "{key}", "size": size})
        for name, size in (("api", 1), ("chat", 1), ("billing", 2))
    ]
    found.append(Instance("api", None, "dev", {k: v for k, v in values.items() if v is not None}))
    return [*found, Instance("billing", None, "dev", {"right": ["get"]})]


def test_a_plan_with_a_new_service_is_as_the_tables_and_its_file_say() -> None:
    assert differences(TABLE, _plan(), "dev", [BILLING]) == []


def test_without_its_file_the_service_is_named_everywhere() -> None:
    assert differences(TABLE, _plan(), "dev") == [
        "dev: role[billing]: planned, and not in the table",
        'dev: api: keys.billing: added ["1"]',
        'dev: api: peers: "chat,runner" became "billing,chat,runner"',
        'dev: api: rows: added ["billing"]',
        "dev: billing: planned, and not in the table",
    ]


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"rows": ["api", "billing", "chat", "x"]}, 'rows: added ["x"]'),
        ({"rows": ["api", "billing"]}, 'rows: removed ["chat"]'),
        ({"rows": ["api", "chat"]}, 'rows: removed ["billing"]'),
        ({"rows": ["chat", "billing", "api"]}, "rows: in another order"),
        ({"peers": "chat,runner"}, 'peers: "chat,runner,billing" became "chat,runner"'),
        ({"peers": "billing,chat"}, 'peers: "chat,runner,billing" became "chat,billing"'),
        ({"limit": 2}, "limit: 1 became 2"),
        ({"keys.billing": ["1", "2"]}, 'keys.billing: added ["2"]'),
        ({"keys.billing": None}, 'keys.billing: removed ["1"]'),
    ],
)
def test_a_change_beside_a_new_service_is_named(changed: dict[str, Any], line: str) -> None:
    assert differences(TABLE, _plan(**changed), "dev", [BILLING]) == [f"dev: api: {line}"]


def test_an_added_right_of_a_new_service_is_named() -> None:
    found = [*_plan()[:-1], Instance("billing", None, "dev", {"right": ["get", "put"]})]
    assert differences(TABLE, found, "dev", [BILLING]) == ['dev: billing: right: added ["put"]']


def test_a_resource_of_a_new_service_that_is_not_planned_is_named() -> None:
    assert differences(TABLE, _plan()[:-1], "dev", [BILLING]) == [
        "dev: billing: in the table, and not planned"
    ]


def test_a_plan_without_any_resource_lacks_all_that_the_table_has() -> None:
    assert differences({"api": {"limit": 1}}, [], "dev") == [
        "dev: api: in the table, and not planned"
    ]


def test_two_new_services_do_not_hide_each_other() -> None:
    rows, peers = ["api", "billing", "chat", "tax", "tax too"], "billing,chat,runner,tax"
    found = _plan(rows=rows, peers=peers)
    assert differences(TABLE, found, "dev", [BILLING, TAX]) == []
    assert differences(TABLE, found, "dev", [BILLING]) == [
        'dev: api: peers: "chat,runner,billing" became "chat,runner,tax,billing"',
        'dev: api: rows: added ["tax", "tax too"]',
    ]


def test_a_service_may_have_a_common_word_as_its_name() -> None:
    found = [Instance("role", "account", "dev", {"description": "Raise the {key}'s limit"})]
    added = {"role[account]": {"description": "Raise the account's limit"}}
    assert differences({}, found, "dev", [added]) == []


def test_what_a_plan_has_beyond_the_table_is_what_the_service_adds() -> None:
    found = _plan()
    assert encoded(without(found, [TABLE]), found) == {
        "api": BILLING["api"],
        "billing": BILLING["billing"],
        "role[billing]": BILLING["role[billing]"],
    }


def test_without_what_the_service_adds_the_plan_is_as_the_table_says() -> None:
    assert differences(TABLE, without(_plan(), [BILLING]), "dev") == []
