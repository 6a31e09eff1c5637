"""Builds the application of the console's API."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from local.console import routes
from local.console.gateway_client import GatewayError
from local.console.listings import InvalidCursorError
from local.console.services import Services
from local.console.uploads import UnsupportedFileError
from shared.request.body_limit import BodyLimitMiddleware

PREFIX = "/console/"

_UPLOADS = "/console/api/uploads"
_LARGEST_JSON_BYTES = 64 * 1024


def create_app(services: Services | None, token: str) -> FastAPI:
    """Return the application. Requests that change something must carry `token`.

    Without `services` it only describes itself.
    """
    app = FastAPI(
        title="console",
        description="The API of the local console's page.",
        openapi_url="/console/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.state.token = token
    app.include_router(routes.router)
    app.include_router(routes.changes)
    app.add_exception_handler(GatewayError, _answer_gateway_error)
    app.add_exception_handler(HTTPException, _answer_http_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    for wrong in (InvalidCursorError, UnsupportedFileError):
        app.add_exception_handler(wrong, _answer_wrong_value)
    app.add_middleware(_BodyLimits)
    return app


class _BodyLimits:
    """Limits every body but that of an upload, which its route limits."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._limited = BodyLimitMiddleware(app, max_bytes=_LARGEST_JSON_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app if scope.get("path") == _UPLOADS else self._limited
        await app(scope, receive, send)


def _answer_gateway_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, GatewayError):
        raise error
    status = error.status if error.status in {403, 404, 409, 422, 429} else 502
    return _problem(status, error.error, error.detail)


def _answer_http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    return _problem(error.status_code, "refused", str(error.detail))


def _answer_invalid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    details = (f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return _problem(422, "validation_error", "; ".join(details))


def _answer_wrong_value(_request: Request, error: Exception) -> JSONResponse:
    return _problem(400, "wrong_value", str(error))


def _problem(status: int, error: str, detail: str) -> JSONResponse:
    return JSONResponse({"error": error, "detail": detail}, status)
