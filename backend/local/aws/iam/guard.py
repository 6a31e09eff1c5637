"""Evaluates the policies of the caller's role at each call of the embedded AWS, for `--iam`."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from local.aws.iam.calls import Call, call_of
from local.aws.iam.checks import Check, checks_of
from local.aws.iam.denials import denial
from local.aws.iam.roles import Roles
from local.aws.json_api import access_key_of, signed_for
from local.aws.wsgi import Environ, StartResponse, Wsgi
from local.blueprint import REGION

# Their parameters are in the path and in headers, and their bodies may be long. Only S3's
# DeleteObjects names its objects in its body.
_BODY_NOT_READ = frozenset(["s3", "bedrock"])


class Guard:
    """Refuses calls that the caller's role does not allow; if not `enforce`, it only reports them.

    `report` gets a line for each role, action and resource that is missing, once. Callers without a
    role, such as the operator's test credentials, may do everything.
    """

    def __init__(self, roles: Roles, report: Callable[[str], None], *, enforce: bool) -> None:
        self._roles = roles
        self._report = report
        self._enforce = enforce
        self._reported: set[tuple[str, str, str]] = set()

    def in_front_of(self, served: Wsgi) -> Wsgi:
        """The application `served`, guarded."""

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            role = self._roles.named(access_key_of(environ))
            if role is None:
                if not _changes_policies(environ):
                    return served(environ, start_response)
                try:
                    return list(served(environ, start_response))
                finally:
                    self._roles.forget()
            return self._guarded(role, environ, start_response, served)

        return application

    def _guarded(
        self, role: str, environ: Environ, start_response: StartResponse, served: Wsgi
    ) -> Iterable[bytes]:
        call = call_of(environ, _body(environ))
        if call is None:
            return served(environ, start_response)
        for check in checks_of(call, REGION):
            if not self._allows(role, check) and self._enforce:
                return denial(role, call, check, start_response)
        if call.service == "s3" and call.operation in {"GetObject", "HeadObject"}:
            return self._found_or_hidden(role, call, environ, start_response, served)
        return served(environ, start_response)

    def _found_or_hidden(
        self, role: str, call: Call, environ: Environ, start_response: StartResponse, served: Wsgi
    ) -> Iterable[bytes]:
        """Answer 403 for a missing object to a role that may not list the bucket, as S3 does."""
        started: list[Any] = []
        body = list(served(environ, lambda *start: started.extend(start)))
        if started[0].startswith("404"):
            check = Check("s3:ListBucket", f"arn:aws:s3:::{call.parameters['Bucket']}")
            if not self._allows(role, check) and self._enforce:
                return denial(role, call, check, start_response)
        start_response(*started)
        return body

    def _allows(self, role: str, check: Check) -> bool:
        if self._roles.allow(role, check):
            return True
        missing = (role, check.action, check.resource)
        if missing not in self._reported:
            self._reported.add(missing)
            self._report(f"IAM: {role} lacks {check.action} on {check.resource}")
        return False


def _changes_policies(environ: Environ) -> bool:
    if signed_for(environ) != "iam":
        return False
    call = call_of(environ, _body(environ))
    return call is not None and not call.operation.startswith(("Get", "List"))


def _body(environ: Environ) -> bytes:
    deletes = str(environ.get("QUERY_STRING", "")).split("=")[0] == "delete"
    if signed_for(environ) in _BODY_NOT_READ and not deletes:
        return b""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body
