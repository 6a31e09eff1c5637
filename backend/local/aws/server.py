"""The embedded AWS: a moto server in this process, with stand-ins in front of it for what moto does
not do.

One endpoint for all services, so that `AWS_ENDPOINT_URL` is all that boto3 and the AWS CLI need to
be told.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from local.net.loopback_only import STATUS, reason_to_refuse, refusal_body
from local.net.sockets import HOST, bind

type Environ = dict[str, Any]
type StartResponse = Callable[..., Any]
type Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

TEST_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
}


class StandIn(Protocol):
    """An AWS API, or a part of one, that moto lacks."""

    def serves(self, environ: Environ) -> bool:
        """Whether the request is this stand-in's to answer."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer it (WSGI; called in the server's threads)."""


class EmbeddedAws:
    """Its port is taken when it is made; requests wait until `serve` has brought moto up (it takes
    a second to import).
    """

    def __init__(self, stand_ins: Sequence[StandIn] = ()) -> None:
        self._listener = bind()
        self._stand_ins = list(stand_ins)
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._listener.getsockname()[1]}"

    def add(self, stand_in: StandIn) -> None:
        """Put another stand-in in front of moto, also while it serves."""
        self._stand_ins.append(stand_in)

    def serve(self) -> None:
        """Import moto and answer from a thread of its own; blocks for the import. Once is enough:
        what serves already goes on.
        """
        if self._thread is not None:
            return
        os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        from moto.moto_server import threaded_moto_server
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        port = self._listener.getsockname()[1]
        make_server = threaded_moto_server.make_server  # type: ignore[attr-defined]
        self._server = make_server(
            HOST,
            port,
            refuse_web_pages(
                self.front(
                    serialize_conditional_writes(DomainDispatcherApplication(create_backend_app))
                )
            ),
            threaded=True,
            request_handler=MotoRequestHandler,
            fd=self._listener.fileno(),
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="embedded-aws", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        self._listener.close()

    def front(self, moto: Wsgi) -> Wsgi:
        """All that answers at the endpoint: the stand-ins, and moto behind them."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            for stand_in in self._stand_ins:
                if stand_in.serves(environ):
                    return stand_in(environ, start_response)
            return moto(environ, start_response)

        return application


def serialize_conditional_writes(moto: Wsgi) -> Wsgi:
    """moto checks If-Match and then writes, in two steps: with S3's promise kept, only one thread
    may be between them.
    """
    writing = threading.Lock()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in {"PUT", "DELETE"} and (
            "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ
        ):
            with writing:
                return list(moto(environ, start_response))
        return moto(environ, start_response)

    return application


def refuse_web_pages(served: Wsgi) -> Wsgi:
    """Answer requests with a foreign Host or Origin with 403; moto would let every origin read."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        host, origin = environ.get("HTTP_HOST"), environ.get("HTTP_ORIGIN")
        reason = reason_to_refuse(
            [] if host is None else [host], [] if origin is None else [origin]
        )
        if reason is None:
            return served(environ, start_response)
        body = refusal_body(reason)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{STATUS} Forbidden", headers)
        return [body]

    return application


def boto3_client(service: str, *, endpoint_url: str, region: str) -> Any:
    """A boto3 client of the embedded AWS that ignores the user's AWS configuration and proxies."""
    import boto3
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    made: Any = boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - moto takes any
        aws_session_token="testing",  # noqa: S106
        region_name=region,
        botocore_session=session,
    )
    # An empty mapping of proxies: otherwise boto3 sends loopback traffic to HTTP_PROXY.
    return made.client(service, endpoint_url=endpoint_url, config=Config(proxies={}))
