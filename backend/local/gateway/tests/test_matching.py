"""Which resource serves a path."""

import pytest

from local.blueprint import Method, MockIntegration
from local.gateway.matching import match

ANY = Method(MockIntegration())
GET = Method(MockIntegration(201))
RESOURCES = {
    "/api": {"ANY": ANY},
    "/api/{proxy+}": {"ANY": ANY},
    "/api/items/{id}": {"GET": GET, "ANY": ANY},
    "/api/items/new": {"GET": GET},
}


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/api", "/api", {}),
        ("/api/", "/api", {}),
        ("/api/test", "/api/{proxy+}", {"proxy": "test"}),
        ("/api/a/b/c", "/api/{proxy+}", {"proxy": "a/b/c"}),
        ("/api/items/7", "/api/items/{id}", {"id": "7"}),
        ("/api/items/new", "/api/items/new", {}),
        ("/api/items/7/parts", "/api/{proxy+}", {"proxy": "items/7/parts"}),
    ],
)
def test_the_most_specific_resource_serves(
    path: str, resource: str, parameters: dict[str, str]
) -> None:
    found = match(RESOURCES, "GET", path)
    assert found is not None
    assert (found.resource, found.parameters) == (resource, parameters)


@pytest.mark.parametrize("path", ["/", "/apiary", "/other/api", ""])
def test_an_unknown_path_has_no_resource(path: str) -> None:
    assert match(RESOURCES, "GET", path) is None


def test_the_exact_method_wins_over_any() -> None:
    found = match(RESOURCES, "GET", "/api/items/7")
    assert found is not None
    assert found.method is GET


def test_a_resource_without_the_method_leaves_the_request_to_a_less_specific_one() -> None:
    found = match(RESOURCES, "POST", "/api/items/new")
    assert found is not None
    assert found.resource == "/api/items/{id}"
    assert match({"/a": {"GET": GET}}, "POST", "/a") is None


def test_any_is_the_seven_methods_of_api_gateway() -> None:
    assert match(RESOURCES, "TRACE", "/api") is None
    assert match(RESOURCES, "PATCH", "/api") is not None
