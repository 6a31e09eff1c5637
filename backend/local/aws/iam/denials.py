"""AWS's answers to a call that IAM refuses, in the form of each service's errors."""

import json
from collections.abc import Iterable
from xml.sax.saxutils import escape

from local.aws.iam.calls import Call
from local.aws.iam.checks import Check
from local.aws.wsgi import StartResponse
from local.aws.wsgi_answers import answer
from local.blueprint import ACCOUNT_ID

# The status and the `__type` of an error; the others answer 403 with its name in a header.
_JSON_1 = {
    "dynamodb": "com.amazon.coral.service#AccessDeniedException",
    "secretsmanager": "AccessDeniedException",
    "ssm": "AccessDeniedException",
}
_XML = frozenset(["s3", "sts", "iam", "sns"])


def denial(role: str, call: Call, check: Check, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a call with the error for the check that failed."""
    message = (
        f"User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/{role}/local is not authorized to perform: "
        f"{check.action} on resource: {check.resource} because no identity-based policy allows the "
        f"{check.action} action"
    )
    if call.service in _XML:
        fields = f"<Code>AccessDenied</Code><Message>{escape(message)}</Message>"
        error = f"<Error>{fields}</Error>"
        if call.service != "s3":
            error = f"<ErrorResponse><Error><Type>Sender</Type>{fields}</Error></ErrorResponse>"
        body = b"" if call.method == "HEAD" else error.encode()
        return answer(start_response, 403, body, {"Content-Type": "application/xml"})
    if call.service in _JSON_1:
        content = {"__type": _JSON_1[call.service], "Message": message}
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return answer(start_response, 400, json.dumps(content).encode(), headers)
    headers = {"x-amzn-ErrorType": "AccessDeniedException"}
    return answer(start_response, 403, json.dumps({"message": message}).encode(), headers)
