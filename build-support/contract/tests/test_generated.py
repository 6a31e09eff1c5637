"""What is made from the routes is up to date, and breaks no program without saying so."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from contract.changes import refusals
from contract.document import DOCUMENT, RELEASED, REPOSITORY, SERVICE, Document, front_door, read
from contract.operations import gateway_operations
from contract.python_client import client_sources
from contract.write import generated
from services.declared import DECLARED
from shared.description.document import operations
from shared.testing import body_examples

_AGAIN = "run ./pants run build-support/contract:write and commit what it writes"


@pytest.fixture(scope="module")
def document() -> Document:
    return front_door()


def test_every_generated_file_is_up_to_date() -> None:
    files = generated()
    assert {path.relative_to(REPOSITORY).as_posix() for path in files} == {
        "docs/openapi.json",
        "terraform/operations.json",
        "backend/client/api/models.py",
        "backend/client/api/operations.py",
    }
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is old: {_AGAIN}"


def test_no_change_breaks_programs_that_use_the_last_release() -> None:
    found = refusals(read(RELEASED), read(DOCUMENT))
    advice = "undo it, or raise the first number of VERSION in build-support/contract/document.py"
    assert not found, "; ".join([*found, advice])


def test_the_document_is_valid(document: Document) -> None:
    validate(document)


def test_every_operation_of_the_document_is_declared(document: Document) -> None:
    """One that is in no scope would be closed to every key."""
    found = {
        f"{method} {path}"
        for method, path, operation in operations(document)
        if operation["tags"] != ["health"]
    }
    assert found
    assert found <= {each for scope in DECLARED.services[SERVICE].access.values() for each in scope}


def test_every_operation_has_a_readable_name_of_its_own(document: Document) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    for _, path, operation in operations(document):
        assert not operation["operationId"].startswith(("get_post", "post_")), path


def test_every_body_has_an_example(document: Document) -> None:
    for _, _, operation in operations(document):
        assert body_examples(document, operation)


def test_the_gateway_gets_each_path_once_with_its_parent(document: Document) -> None:
    content = gateway_operations(document)
    paths = {path for found in content["paths"].values() for path in found}
    assert {one["path"] for one in content["operations"].values()} <= paths
    for depth, found in content["paths"].items():
        for path, one in found.items():
            assert path == f"{one['parent']}/{one['part']}"
            assert path.count("/") == int(depth)
            assert one["parent"] in paths | {SERVICE}
    assert "api/health" not in paths


def test_a_path_that_is_too_deep_for_terraform_is_refused(document: Document) -> None:
    deep = {"paths": {"/a/b/c/d": {"get": {"operationId": "deep"}}}}
    with pytest.raises(ValueError, match="deeper than 3"):
        gateway_operations(deep)


def _operation(answers: dict[str, Any]) -> Document:
    return {
        "info": {"version": "1.0.0"},
        "paths": {
            "/jobs/{job_id}": {
                "delete": {
                    "operationId": "end_job",
                    "summary": "End a job",
                    "parameters": [
                        {"in": "path", "name": "job_id", "schema": {"type": "string"}},
                        {"in": "query", "name": "by", "schema": {"enum": ["age", "size"]}},
                    ],
                    "responses": answers,
                }
            }
        },
        "components": {
            "schemas": {"Job": {"type": "object", "properties": {"id": {"type": "string"}}}}
        },
    }


def _method(answers: dict[str, Any]) -> str:
    sources = client_sources(_operation(answers))
    [source] = [text for path, text in sources.items() if path.name == "operations.py"]
    return source[source.index("    def end_job") :]


_JOB = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Job"}}}}
_EVENTS = {"content": {"text/event-stream": {"schema": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("answers", "returned", "call"),
    [
        ({"200": _JOB}, "models.Job", "call("),
        ({"200": _JOB, "204": {}, "404": {}}, "models.Job | None", "call_if_any("),
        ({"204": {}}, "None", "send("),
        ({"200": _EVENTS}, "Iterator[Event]", "events("),
    ],
)
def test_a_method_of_the_client_returns_what_the_operation_answers(
    answers: dict[str, Any], returned: str, call: str
) -> None:
    source = _method(answers)
    assert f"-> {returned}:" in source
    assert f"self._transport.{call}" in source
    assert 'by: Literal["age", "size"] | None = None' in source
    assert ("answer=models.Job," in source) == ("Job" in returned)


def test_a_stream_is_no_method_of_the_gateways_list() -> None:
    assert gateway_operations(_operation({"200": _EVENTS}))["operations"] == {}
    assert gateway_operations(_operation({"200": _JOB}))["operations"].keys() == {"end_job"}


def test_the_documents_are_json_that_a_tool_can_read() -> None:
    for path in (DOCUMENT, RELEASED):
        assert isinstance(json.loads(Path(path).read_text()), dict)
