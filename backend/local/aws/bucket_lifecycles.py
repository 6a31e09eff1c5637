"""A local implementation of S3's lifecycle rules.

moto drops parts of the rules. Terraform then waits for the rules that it wrote, until it times out.
"""

from collections.abc import Iterable

from local.aws.json_api import signed_for
from local.aws.wsgi import Environ, StartResponse
from local.aws.wsgi_answers import answer, read_body

_MINIMUM_SIZE = "x-amz-transition-default-minimum-object-size"
_NONE = b"<Error><Code>NoSuchLifecycleConfiguration</Code></Error>"


class BucketLifecycles:
    """Stores the rules and returns them unchanged. No object expires."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[bytes, str]] = {}

    def serves(self, environ: Environ) -> bool:
        query = str(environ.get("QUERY_STRING", "")).split("&")
        return bool({"lifecycle", "lifecycle="} & set(query)) and signed_for(environ) == "s3"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        bucket, method = environ["PATH_INFO"].strip("/"), environ["REQUEST_METHOD"]
        headers = {"Content-Type": "application/xml"}
        if method == "DELETE":
            self._rules.pop(bucket, None)
            return answer(start_response, 204, b"", headers)
        if method == "PUT":
            name = "HTTP_" + _MINIMUM_SIZE.upper().replace("-", "_")
            size = str(environ.get(name, "all_storage_classes_128K"))
            self._rules[bucket] = (read_body(environ), size)
            return answer(start_response, 200, b"", headers | {_MINIMUM_SIZE: size})
        if bucket not in self._rules:
            return answer(start_response, 404, _NONE, headers)
        rules, size = self._rules[bucket]
        return answer(start_response, 200, rules, headers | {_MINIMUM_SIZE: size})
