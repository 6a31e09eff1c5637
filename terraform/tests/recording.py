"""Records the requests to the embedded AWS."""

import io
from collections.abc import Iterable

from local.aws.iam.calls import Call, call_of
from local.aws.wsgi import Environ, StartResponse, Wsgi


class Recorder:
    """WSGI middleware that records each request."""

    def __init__(self, application: Wsgi) -> None:
        self._application = application
        self.calls: list[Call] = []

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        call = call_of(environ, body)
        if call is not None:
            self.calls.append(call)
        return self._application(environ, start_response)
