"""The embedded AWS: a moto server in this process, with local implementations of what moto lacks.

All services share one endpoint, so boto3 and the AWS CLI need only `AWS_ENDPOINT_URL`.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, Protocol

from local.aws.faults import with_faults
from local.aws.wsgi import Environ, StartResponse, Wsgi
from local.faults import Faults
from local.net.loopback_only import STATUS, reason_to_refuse, refusal_body
from local.net.sockets import HOST, bind

TEST_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
}


type Guarded = Callable[[Wsgi], Wsgi]
"""Returns an application that refuses some requests to another."""


class StandIn(Protocol):
    """A local implementation of an AWS API, or of a part of one, that moto lacks."""

    def serves(self, environ: Environ) -> bool:
        """Whether this stand-in answers the request."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request (WSGI). Called in the server's threads."""


class EmbeddedAws:
    """An AWS endpoint at a loopback port, which is open from the start. Requests wait until `serve`
    has imported moto, which takes a second.

    `faults` are those of its services; `order` adds one while the server runs.
    """

    def __init__(self, stand_ins: Sequence[StandIn] = ()) -> None:
        self.faults = Faults()
        self._listener = bind()
        self._stand_ins = list(stand_ins)
        self._guard: Guarded | None = None
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._listener.getsockname()[1]}"

    def guard(self, guard: Guarded) -> None:
        """Put `guard` in front of all services. Allowed while the server runs."""
        self._guard = guard

    def add(self, stand_in: StandIn) -> None:
        """Add a stand-in in front of moto. Allowed while the server runs."""
        self._stand_ins.append(stand_in)

    def serve(self) -> None:
        """Import moto, which blocks, and start the server's thread. A second call does nothing."""
        if self._thread is not None:
            return
        from moto.moto_server.werkzeug_app import (
            DomainDispatcherApplication,
            MotoRequestHandler,
            create_backend_app,
        )
        from werkzeug.serving import make_server

        class _TimedHandler(MotoRequestHandler):
            timeout = 75  # seconds without a byte; otherwise a connection keeps its thread for ever

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        port = self._listener.getsockname()[1]
        self._server = make_server(
            HOST,
            port,
            refuse_web_pages(
                with_faults(
                    self.front(
                        serialize_conditional_writes(
                            DomainDispatcherApplication(create_backend_app)
                        )
                    ),
                    self.faults,
                )
            ),
            threaded=True,
            request_handler=_TimedHandler,
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
        """The application at the endpoint: the stand-ins in front of moto."""

        def services(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            for stand_in in self._stand_ins:
                if stand_in.serves(environ):
                    return stand_in(environ, start_response)
            return moto(environ, start_response)

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            guarded = services if self._guard is None else self._guard(services)
            return guarded(environ, start_response)

        return application


def serialize_conditional_writes(moto: Wsgi) -> Wsgi:
    """Run conditional writes one at a time, which makes them atomic as on AWS: moto checks the
    condition of S3's If-Match and of DynamoDB's requests first, and writes in a second step.
    """
    writing = threading.Lock()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in {"PUT", "DELETE"} and (
            "HTTP_IF_MATCH" in environ or "HTTP_IF_NONE_MATCH" in environ
        ):
            with writing:
                return list(moto(environ, start_response))
        if environ.get("HTTP_X_AMZ_TARGET", "").startswith("DynamoDB_"):
            with writing:
                return list(moto(environ, start_response))
        return moto(environ, start_response)

    return application


def refuse_web_pages(served: Wsgi) -> Wsgi:
    """Answer a foreign Host or Origin with 403: moto would let any web page read the answers."""

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


_creating_clients = threading.Lock()


def boto3_client(service: str, *, endpoint_url: str, region: str) -> Any:
    """A boto3 client of the embedded AWS that ignores the user's AWS configuration and proxies."""
    from botocore.config import Config

    # The checksums as in `shared.aws.clients`.
    # An empty mapping of proxies: otherwise boto3 sends loopback traffic to HTTP_PROXY.
    config = Config(proxies={}, response_checksum_validation="when_required")
    # Clients are thread-safe; a session, which creates them, is not.
    with _creating_clients:
        return _session().client(
            service, region_name=region, endpoint_url=endpoint_url, config=config
        )


@cache
def _session() -> Any:
    """One session for all clients: a new one reads botocore's data again, which takes 0.1 s."""
    import boto3
    import botocore.session

    return boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - moto takes any
        aws_session_token="testing",  # noqa: S106
        botocore_session=botocore.session.Session(
            session_vars={"profile": (None, None, None, None)}
        ),
    )
