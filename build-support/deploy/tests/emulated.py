"""What the embedded AWS lacks for `verify`: functions that run, policies, S3's rules of uploads."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qs

from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer, answer_error

_INVOCATION: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_API: Final = re.compile(r"restapis(?:/|%2F)(\w+)")


class NoFunctions:
    """Fails every invocation, as moto does where there is no Docker."""

    def serves(self, environ: Environ) -> bool:
        return _INVOCATION.fullmatch(environ["PATH_INFO"]) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        headers = {"X-Amz-Function-Error": "Unhandled"}
        return answer(start_response, 200, b"no Docker", headers)


class RunningFunctions:
    """Answers an invocation with the version that the alias sends it to, and counts it.

    Attributes:
        stuck: Whether every alias goes on sending all requests to version 1.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self.stuck = False
        self._client = client
        self._sent: Counter[str] = Counter()

    def serves(self, environ: Environ) -> bool:
        return _INVOCATION.fullmatch(environ["PATH_INFO"]) is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        match = _INVOCATION.fullmatch(environ["PATH_INFO"])
        name = match[1] if match else ""
        qualifier = parse_qs(environ.get("QUERY_STRING", "")).get("Qualifier", ["$LATEST"])[0]
        version = qualifier if qualifier == "$LATEST" else self._version(name, qualifier)
        dimensions = {"FunctionName": name, "Resource": f"{name}:live", "ExecutedVersion": version}
        self._client("cloudwatch").put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": "Invocations",
                    "Value": 1,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                }
            ],
        )
        return answer(start_response, 200, json.dumps(version).encode())

    def _version(self, name: str, alias: str) -> str:
        found = self._client("lambda").get_alias(FunctionName=name, Name=alias)
        weights = (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        self._sent[name] += 1
        if self.stuck:
            return "1"
        other = next(iter(weights), None)
        return other if other and self._sent[name] % 2 else str(found["FunctionVersion"])


class AppliedPolicies:
    """Denies to every assumed role what the policies of a deploy role in dev deny.

    Attributes:
        forgotten: A request that is allowed although the policies deny it: the method and a part
            of the path.
        denied: A request that is denied although the policies allow it.
    """

    def __init__(self, client: Callable[[str], Any]) -> None:
        self.forgotten: tuple[str, str] | None = None
        self.denied: tuple[str, str] | None = None
        self._client = client

    def serves(self, environ: Environ) -> bool:
        """Return whether a request is denied, or is one for tags, which moto lacks."""
        if "Credential=testing/" in environ.get("HTTP_AUTHORIZATION", ""):
            return False
        return self._denies(environ) or environ["PATH_INFO"].startswith("/tags")

    def _denies(self, environ: Environ) -> bool:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if self._is(self.denied, method, path):
            return True
        if self._is(self.forgotten, method, path):
            return False
        if "/iam/" in environ.get("HTTP_AUTHORIZATION", ""):
            return True
        api = _API.search(path)
        if api is None:
            return False
        tags = self._client("apigateway").get_rest_api(restApiId=api[1])["tags"]
        is_untag = path.startswith("/tags") and method == "DELETE"
        return str(tags["Environment"]) != "dev" or is_untag

    def _is(self, request: tuple[str, str] | None, method: str, path: str) -> bool:
        return request is not None and method == request[0] and request[1] in path

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if "/iam/" in environ.get("HTTP_AUTHORIZATION", ""):
            text = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
            return answer(start_response, 403, text, {"Content-Type": "text/xml"})
        if not self._denies(environ):
            return answer(start_response, 204, b"")
        return answer_error(start_response, 403, "AccessDeniedException", "not authorized")


class AppliedRules:
    """Begins uploads, and names the rule that will end them, as S3 does."""

    def __init__(self) -> None:
        self.rule = "old-versions"
        self.open: set[str] = set()

    def serves(self, environ: Environ) -> bool:
        method, query = environ["REQUEST_METHOD"], environ.get("QUERY_STRING", "")
        return (method == "POST" and query.startswith("uploads")) or (
            method == "DELETE" and "uploadId=" in query
        )

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "DELETE":
            self.open.remove(path)
            return answer(start_response, 204, b"")
        self.open.add(path)
        headers = {"Content-Type": "text/xml", "x-amz-abort-rule-id": self.rule}
        text = b"<InitiateMultipartUploadResult><UploadId>1</UploadId>"
        return answer(start_response, 200, text + b"</InitiateMultipartUploadResult>", headers)
