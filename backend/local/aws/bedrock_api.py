"""Bedrock's APIs at the embedded AWS's endpoint, answered by the local Bedrock."""

import uuid
from collections.abc import Iterable

from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer_json, read_body
from local.bedrock.event_stream import CONTENT_TYPE
from local.bedrock.runtime import Bedrock


class BedrockApi:
    """Serves the local Bedrock over WSGI."""

    def __init__(self, bedrock: Bedrock) -> None:
        self._bedrock = bedrock

    def serves(self, environ: Environ) -> bool:
        return self._bedrock.serves(environ["REQUEST_METHOD"], environ["PATH_INFO"])

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._bedrock.answer(environ["PATH_INFO"], read_body(environ))
        if answer.stream is not None:
            # Without a length: the server sends each event as a chunk of its own.
            headers = {"Content-Type": CONTENT_TYPE, "x-amzn-RequestId": str(uuid.uuid4())}
            start_response("200 OK", list(headers.items()))
            return answer.stream
        return answer_json(start_response, answer.status, answer.content, answer.headers)
