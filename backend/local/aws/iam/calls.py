"""What a request asks of AWS: service, operation and parameters, by botocore's descriptions."""

import functools
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import unescape

from local.aws.json_api import signed_for
from local.aws.wsgi import Environ

type Parameters = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request: service and operation by botocore's names, and parameters."""

    service: str
    operation: str
    parameters: Parameters = field(hash=False)
    path: str
    method: str


_KEY: Final = re.compile(rb"<Key>(.*?)</Key>")

# Services whose name in a signature differs from botocore's name.
_SIGNING_NAMES: Final = {"monitoring": "cloudwatch"}


def call_of(environ: Environ, body: bytes) -> Call | None:
    """The call that a signed request makes; None for a request without a signature."""
    service = _SIGNING_NAMES.get(signed_for(environ), signed_for(environ))
    if service == "bedrock" and _raw_path(environ).startswith("/model/"):
        service = "bedrock-runtime"
    return _call(service, environ, body) if service else None


def _call(service: str, environ: Environ, body: bytes) -> Call:
    method, path = environ["REQUEST_METHOD"], _raw_path(environ)
    query = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return Call(service, target.rpartition(".")[2], _json(body), path, method)
    if service not in {"s3", "bedrock-runtime"}:
        form = dict(urllib.parse.parse_qsl(body.decode(errors="replace")))
        if "Action" in form:
            return Call(service, form.pop("Action"), dict(form), path, method)
    operation, parameters = _rest_operation(service, method, path, query, environ)
    if operation == "DeleteObjects":
        keys = [unescape(key.decode()) for key in _KEY.findall(body)]
        parameters |= {"Keys": keys, "versions": b"<VersionId>" in body}
    if service not in {"s3", "bedrock-runtime"}:
        parameters = {**_json(body), **parameters}
    return Call(service, operation, parameters, path, method)


def _raw_path(environ: Environ) -> str:
    # An ARN in a path contains escaped slashes, which PATH_INFO does not preserve.
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"])
    return raw.partition("?")[0]


def _json(body: bytes) -> Parameters:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


@functools.cache
def _rest_patterns(service: str) -> list[tuple[str, re.Pattern[str], dict[str, str], str]]:
    """Return (method, path pattern, fixed query, operation) of a service, most specific first."""
    import botocore.session

    model = botocore.session.get_session().get_service_model(service)
    patterns = []
    for name in model.operation_names:
        if model.operation_model(name).deprecated:
            continue  # S3's deprecated lifecycle operations have the path of the current ones.
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        if service == "s3" and not path.startswith("/{Bucket}"):
            path = "/{Bucket}" + path if path != "/" or name != "ListBuckets" else path
        pattern = re.escape(path.rstrip("/") or "/")
        pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", pattern)
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", pattern)
        fixed = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        patterns.append((http["method"], re.compile(f"{pattern}/?"), fixed, name))
    return sorted(patterns, key=lambda item: (-len(item[2]), item[1].pattern.count("(?P")))


# Operations with the method and path of one on a whole object. Only these have an `uploadId`.
_MULTIPART: Final = {"AbortMultipartUpload", "ListParts", "UploadPart", "UploadPartCopy"}


def _rest_operation(
    service: str, method: str, path: str, query: Mapping[str, str], environ: Environ
) -> tuple[str, Parameters]:
    try:
        patterns = _rest_patterns(service)
    except Exception as error:
        raise LookupError(f"botocore knows no service {service!r}") from error
    for expected_method, pattern, fixed, name in patterns:
        match = pattern.fullmatch(path)
        if match is None or expected_method != method or not fixed.keys() <= query.keys():
            continue
        if any(value and query[key] != value for key, value in fixed.items()):
            continue
        if service == "s3" and name == "CopyObject" and "HTTP_X_AMZ_COPY_SOURCE" not in environ:
            continue
        if name in _MULTIPART and "uploadId" not in query:
            continue
        found = {key: urllib.parse.unquote(value) for key, value in match.groupdict().items()}
        return name, {**query, **found}
    return f"{method} {path}", dict(query)
