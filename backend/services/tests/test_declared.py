"""services.json is read and checked, and its schema is the one that editors get."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.declared import (
    DECLARED,
    FILE,
    NAME_PATTERN,
    SERVICES,
    DeclarationError,
    Service,
    callers_last,
    declaration,
    read,
    schema,
)
from services.schema import SCHEMA_FILE, text

FUNCTION: dict[str, Any] = {
    "kind": "function",
    "memory_mb": 512,
    "timeout_s": 30,
    "route": True,
    "key": True,
    "quota": {"limit": 1, "period": "DAY"},
    "calls": {},
    "access": {"read": ["GET /invoices"]},
}


def _file(folder: Path, content: Any) -> Path:
    file = folder / "services.json"
    file.write_text(json.dumps(content))
    return file


def test_the_repositorys_services_are_read_in_their_order() -> None:
    written = json.loads(FILE.read_text())
    assert list(SERVICES) == [name for name in written if not name.startswith("$")]
    assert SERVICES["runner"].memory_mb == written["runner"]["memory_mb"]
    assert written["$schema"] == f"./{SCHEMA_FILE.name}"


def test_every_declared_service_has_its_folder_and_no_folder_is_undeclared() -> None:
    entries = {"handler.py", "server.py"}
    found = {
        folder.name
        for folder in FILE.with_name("backend").iterdir()
        if any((folder / entry).is_file() for entry in entries)
    }
    assert found == set(SERVICES)


def test_the_build_lists_the_package_of_every_service() -> None:
    """A macro of Pants cannot read services.json."""
    macros = ast.parse(FILE.with_name("build-support").joinpath("macros.py").read_text())
    [written] = [
        ast.literal_eval(node.value)
        for node in macros.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FUNCTION_ZIPS"
    ]
    assert sorted(written) == sorted(f"backend/{name}:zip" for name in SERVICES)


def test_the_schema_file_is_current() -> None:
    """`./pants run backend/services:schema` writes it."""
    assert SCHEMA_FILE.read_text() == text()


def test_the_schema_describes_every_field() -> None:
    described = schema()["$defs"]["Service"]["properties"]
    assert described.keys() == Service.model_fields.keys()
    assert all(each["description"] for each in described.values())


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "job"}, "billing.kind"),
        ({"memory_mb": 64}, "billing.memory_mb"),
        ({"timeout_s": 901}, "billing.timeout_s"),
        ({"quota": {"limit": 1, "period": "YEAR"}}, "billing.quota.period"),
        ({"memory": 512}, "billing.memory: Extra"),
        ({"quota": None}, "a service with a key needs a quota"),
        ({"route": False}, "a task has no route"),
        ({"kind": "task"}, "a task has no route"),
        ({"key": False, "quota": None, "calls": {"api": []}}, "needs a key to call others"),
        (
            {"key": False, "quota": None, "forwards_identity": True},
            "needs a key to forward an identity",
        ),
        ({"calls": {"nobody": []}}, "billing calls nobody, not declared"),
        ({"calls": {"api": ["erase"]}}, "billing has the scope erase of api, not declared"),
        ({"access": {"read": ["GET /a"], "write": ["GET /a"]}}, "GET /a is in two scopes"),
        ({"access": {"read": ["READ /a"]}}, "billing.access.read.0"),
        ({"access": {"read": ["GET /a/"]}}, "billing.access.read.0"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    file = _file(tmp_path, {"api": FUNCTION, "billing": FUNCTION | change})
    with pytest.raises(DeclarationError, match=re.escape(complaint)):
        read(file)


@pytest.mark.parametrize("name", ["Billing", "bill-ing", "1billing", "b", "b" * 17])
def test_a_wrong_name_is_refused(tmp_path: Path, name: str) -> None:
    assert not re.fullmatch(NAME_PATTERN, name)
    with pytest.raises(DeclarationError, match=name):
        read(_file(tmp_path, {name: FUNCTION}))


def test_a_file_that_is_not_json_or_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "services.json").write_text("{")
    for file in (tmp_path / "services.json", tmp_path / "none.json"):
        with pytest.raises(DeclarationError, match=file.name):
            read(file)


def test_a_service_comes_after_those_that_it_calls() -> None:
    order = callers_last(SERVICES)
    assert sorted(order) == sorted(SERVICES)
    for name, service in SERVICES.items():
        assert all(order.index(called) < order.index(name) for called in service.calls)


def test_a_circle_of_calls_is_an_error(tmp_path: Path) -> None:
    calls: dict[str, Any] = {"a1": {"b1": []}, "b1": {"c1": []}, "c1": {"a1": []}}
    content = {name: FUNCTION | {"calls": called} for name, called in calls.items()}
    with pytest.raises(DeclarationError, match=r"form a circle: .*a1 calls b1"):
        read(_file(tmp_path, content))


@pytest.mark.parametrize(
    ("clients", "complaint"),
    [
        ({"Client": {}}, "Client"),
        ({"api": {}}, "api is a service and a client"),
        ({"client": {"billing": ["read"]}}, "client has the scope read of billing, not declared"),
        ({"client": {"api": ["write"]}}, "client has the scope write of api, not declared"),
    ],
)
def test_a_wrong_client_is_named(tmp_path: Path, clients: Any, complaint: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(complaint)):
        read(_file(tmp_path, {"$clients": clients, "api": FUNCTION}))


def test_a_service_knows_the_scopes_of_every_key_that_calls_it(tmp_path: Path) -> None:
    content = {
        "$clients": {"reader": {"api": ["read"]}, "guest": {}},
        "api": FUNCTION,
        "billing": FUNCTION | {"calls": {"api": ["read"]}, "forwards_identity": True},
    }
    assert declaration(_file(tmp_path, content)).key_scopes("api") == {
        "operations": {"read": ["GET /invoices"]},
        "keys": {"billing": ["read"], "reader": ["read"]},
        "forwards_identity": ["billing"],
    }


def test_a_client_cannot_change_what_is_stored() -> None:
    """The key of programs that only ask."""
    assert DECLARED.scopes_of("client") == {"api": ["ask", "read"]}
    asked = {each for scope in ("ask", "read") for each in SERVICES["api"].access[scope]}
    changing = {each for each in asked if each.split()[0] in {"PUT", "PATCH", "DELETE"}}
    assert changing == {"DELETE /conversations/{conversation_id}"}
    assert DECLARED.scopes_of("ingest")["api"] == list(SERVICES["api"].access)


def test_only_services_forward_the_identity_of_users() -> None:
    """A client's key that did would let the client choose whose documents it reads."""
    forwarders = {name for name, each in SERVICES.items() if each.forwards_identity}
    assert forwarders <= {name for name, each in SERVICES.items() if each.calls}
    assert [name for name, each in SERVICES.items() if each.users] == ["api"]
