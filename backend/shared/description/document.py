"""Completes FastAPI's OpenAPI document with what the gateway and the middleware answer.

FastAPI knows the routes only. This is done when the document is first read, because a declared
answer costs each cold start some time for each route.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute

from shared.models import ErrorResponse, GatewayError

API_KEY: Final = "x-api-key"
USER: Final = "user"

_ERRORS: Final = (400, 403, 413, 414, 422, 429, 431, 500, 502, 503, 504)
"""What every operation may answer."""

# The gateway answers these itself too: for a wrong token (401) or key (403), a body over 10 MB
# (413), a quota or rate (429), a function that is busy (500), fails (502) or is too slow (504).
_OF_GATEWAY: Final = frozenset([401, 403, 413, 429, 500, 502, 504])
# Only the gateway answers these: for a URL (414) or headers (431) over 10,240 bytes.
_OF_GATEWAY_ALONE: Final = frozenset([414, 431])
_WITH_RETRY_AFTER: Final = frozenset([429, 503])

_REFERENCE: Final = "#/components/schemas/"
_FASTAPI_ERRORS: Final = ("HTTPValidationError", "ValidationError")

type Document = dict[str, Any]


def operation_id(route: APIRoute) -> str:
    """Return the name of a route's function, which clients use as the operation's name."""
    return route.name


class DescribedApp(FastAPI):
    """An application whose OpenAPI document is complete.

    Args:
        needs_key: Whether the gateway requires an API key.
        has_users: Whether end users may call the service.
        needs_user: Whether each request needs a user's token.
        options: Those of `FastAPI`.
    """

    def __init__(
        self, *, needs_key: bool, has_users: bool, needs_user: bool, **options: Any
    ) -> None:
        super().__init__(
            # Relative to the document's own URL, which includes the gateway's stage.
            servers=[{"url": "."}],
            root_path_in_servers=False,
            generate_unique_id_function=operation_id,
            **options,
        )
        self._needs_key = needs_key
        self._has_users = has_users
        self._needs_user = needs_user

    def openapi(self) -> Document:
        """Return the document."""
        if self.openapi_schema is None:
            document = super().openapi()
            _add_errors(document, (*_ERRORS, 401) if self._has_users else _ERRORS)
            if self._needs_key:
                _add_security(document, users=self._has_users, required=self._needs_user)
            self.openapi_schema = document
        return self.openapi_schema


def operations(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the method in upper case, the path and the operation of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _add_errors(document: Document, everywhere: tuple[int, ...]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in _FASTAPI_ERRORS:
        schemas.pop(name, None)
    for model in (ErrorResponse, GatewayError):
        schemas[model.__name__] = model.model_json_schema()
    used: set[int] = set()
    for _, _, operation in operations(document):
        answers = operation["responses"]
        declared = [int(status) for status in answers if int(status) >= 400]
        statuses = sorted({*declared, *everywhere})
        used.update(statuses)
        operation["responses"] = {
            **{status: answer for status, answer in answers.items() if int(status) < 400},
            **{str(one): {"$ref": f"#/components/responses/{_name(one)}"} for one in statuses},
        }
    components["responses"] = {_name(status): _error(status) for status in sorted(used)}
    components["schemas"] = dict(sorted(schemas.items()))


def _name(status: int) -> str:
    return "".join(word.capitalize() for word in HTTPStatus(status).name.split("_"))


def _error(status: int) -> dict[str, Any]:
    own, gateway = ({"$ref": f"{_REFERENCE}{name}"} for name in ("ErrorResponse", "GatewayError"))
    schema: dict[str, Any] = own
    if status in _OF_GATEWAY:
        schema = {"anyOf": [own, gateway]}
    elif status in _OF_GATEWAY_ALONE:
        schema = gateway
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": schema}},
    }
    if status in _WITH_RETRY_AFTER:
        answer["headers"] = {
            "Retry-After": {
                "description": "Seconds until another attempt can succeed.",
                "schema": {"type": "integer", "minimum": 1},
            }
        }
    return answer


def _add_security(document: Document, *, users: bool, required: bool) -> None:
    schemes = {
        API_KEY: {
            "type": "apiKey",
            "in": "header",
            "name": API_KEY,
            "description": "The API key of the calling program.",
        }
    }
    key: dict[str, list[str]] = {API_KEY: []}
    ways = [key]
    if users:
        schemes[USER] = {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "The end user's ID token, where the deployment has an authorizer.",
        }
        ways = [{**key, USER: []}] if required else [key, {**key, USER: []}]
    document["components"]["securitySchemes"] = schemes
    document["security"] = ways
