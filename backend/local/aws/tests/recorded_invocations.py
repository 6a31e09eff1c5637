"""Answers of Lambda's operation Invoke, and where each is recorded.

A case is a call of `test-plain` (alias `live`, version `1`), unless it names another function, and
what AWS answered. `differs` says why ours is another, which `ours` gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.blueprint import ACCOUNT_ID, REGION

_TESTS = "localstack/localstack, tests/aws/services/lambda_"
SOURCES = {
    "names": f"{_TESTS}/test_lambda_api.snapshot.json, test_function_name_and_qualifier_validation",
    "arn": f"{_TESTS}/test_lambda_api.snapshot.json, test_invalid_invoke",
    "region": f"{_TESTS}/test_lambda_api.snapshot.json, test_get_function_wrong_region[invoke]",
    "unknown": f"{_TESTS}/test_lambda.snapshot.json, test_invoke_exceptions",
    "types": f"{_TESTS}/test_lambda.snapshot.json, test_invocation_type_*",
    "logs": f"{_TESTS}/test_lambda.snapshot.json, test_invocation_with_logs",
    "qualifier": f"{_TESTS}/test_lambda.snapshot.json, test_invocation_with_qualifier",
    "payload": f"{_TESTS}/test_lambda.snapshot.json, test_lambda_invoke_payload_encoding_error",
    "errors": f"{_TESTS}/test_lambda.snapshot.json, TestLambdaErrors",
    "access": "AWS, Lambda API reference and developer guide, resource-based policies",
    "api": "AWS, Lambda API reference, Invoke",
}

type Values = Mapping[str, Any]


@dataclass(frozen=True)
class Invocation:
    """One call. `aws` and `ours` have `status`, `error` (its code), `message` (a part of it),
    `payload`, `version`, `function_error` and `log` (a part of it).
    """

    name: str
    source: str
    aws: Values
    function: str = "test-plain"
    qualifier: str = ""
    payload: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    ours: Values = field(default_factory=dict)
    reason: str = ""


_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function"


def _invalid(message: str) -> Values:
    return {"status": 400, "error": "ValidationException", "message": message}


def _not_found(name: str) -> Values:
    message = f"Function not found: {_ARN}:{name}"
    return {"status": 404, "error": "ResourceNotFoundException", "message": message}


_PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern: "
_LENGTH = "failed to satisfy constraint: Member must have length less than or equal to 128"
_NAMES = [
    Invocation(
        name, "names", _invalid(f"Value '{function}' at 'functionName' {_PATTERN}"), function
    )
    for name, function in {
        "an asterisk": "*",
        "a character that names do not have": "my-function!",
        "a partial ARN with a wrong account": "invalid-account:function:my-function",
        "an ARN with a wrong region": f"arn:aws:lambda:invalid-region:{ACCOUNT_ID}:function:f",
        "an ARN of EC2": f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:instance:i-1234567890abcdef0",
        "an ARN with two qualifiers": f"{_ARN}:my-function:1:2",
        "a partial ARN with two qualifiers": "function:my-function:$LATEST:extra",
        "an ARN without a region": f"arn:aws:lambda::{ACCOUNT_ID}:function:my-function",
        "an ARN without an account": f"arn:aws:lambda:{REGION}::function:my-function",
        "an ARN with a misspelled version": f"{_ARN}:my-function:$LATES",
    }.items()
] + [
    Invocation(
        "an ARN with @",
        "arn",
        _invalid("at 'functionName' failed to satisfy constraint"),
        f"arn:aws:lambda:{REGION}:123400000000@function:myfn",
    ),
    Invocation(
        "a wrong qualifier",
        "names",
        _invalid(f"1 validation error detected: Value 'invalid!' at 'qualifier' {_PATTERN}"),
        qualifier="invalid!",
    ),
    Invocation(
        "a qualifier of 129 characters",
        "names",
        _invalid(f"Value '{'a' * 129}' at 'qualifier' {_LENGTH}"),
        qualifier="a" * 129,
    ),
    Invocation(
        "a wrong ARN and a wrong qualifier",
        "names",
        _invalid("2 validation errors detected: "),
        f"arn:aws:lambda:invalid-region:{ACCOUNT_ID}:function:f",
        "a" * 129,
    ),
    Invocation("a name of 65 characters", "names", _not_found(f"{'a' * 65}:$LATEST"), "a" * 65),
    Invocation("an ARN without a name", "names", _not_found("function:$LATEST"), _ARN),
    Invocation(
        "a version in lower case",
        "names",
        _not_found("test-plain:$latest"),
        f"{_ARN}:test-plain",
        "$latest",
    ),
    Invocation(
        "two different qualifiers",
        "names",
        {
            "status": 400,
            "error": "InvalidParameterValueException",
            "message": "The derived qualifier from the function name does not match the specified "
            "qualifier.",
        },
        f"{_ARN}:test-plain:$LATEST",
        "1",
    ),
    Invocation(
        "a function of another region",
        "region",
        {
            "status": 404,
            "error": "ResourceNotFoundException",
            "message": f"Functions from 'eu-west-1' are not reachable in this region ('{REGION}')",
        },
        f"arn:aws:lambda:eu-west-1:{ACCOUNT_ID}:function:test-plain",
    ),
    Invocation(
        "a function of another account",
        "access",
        {
            "status": 403,
            "error": "AccessDeniedException",
            "message": "is not authorized to perform",
        },
        f"arn:aws:lambda:{REGION}:000000000000:function:test-plain",
    ),
    Invocation("an unknown function", "unknown", _not_found("nobody:$LATEST"), "nobody"),
    Invocation("an unknown alias", "names", _not_found("test-plain:blue"), qualifier="blue"),
    Invocation(
        "a partial ARN",
        "qualifier",
        {"status": 200, "payload": b"1", "version": "1"},
        f"{ACCOUNT_ID}:function:test-plain:live",
        payload=b'{"answer": 1}',
    ),
]

_CALLS = [
    Invocation("a function without a qualifier", "types", {"status": 200, "version": "$LATEST"}),
    Invocation("a result that is null", "types", {"status": 200, "payload": b"null"}),
    Invocation("no payload at all", "types", {"status": 200, "payload": b"null"}, payload=b""),
    Invocation(
        "an event",
        "types",
        {"status": 202, "payload": b"", "version": None},
        headers={"invocation-type": "Event"},
    ),
    Invocation(
        "a dry run",
        "types",
        {"status": 204, "payload": b"", "version": None},
        headers={"invocation-type": "DryRun"},
    ),
    Invocation(
        "an unknown type",
        "api",
        _invalid("at 'invocationType' failed to satisfy constraint"),
        headers={"invocation-type": "Later"},
    ),
    Invocation("an alias", "qualifier", {"status": 200, "version": "1"}, qualifier="live"),
    Invocation("a version", "qualifier", {"status": 200, "version": "1"}, qualifier="1"),
    Invocation(
        "the ARN in the function's context",
        "qualifier",
        {"arn": f"{_ARN}:test-echo:1"},
        "test-echo",
        "1",
    ),
    Invocation(
        "the log of an invocation",
        "logs",
        {"log": " Version: $LATEST\n", "version": "$LATEST"},
        headers={"log-type": "Tail"},
    ),
    Invocation(
        "the function's output in its log",
        "qualifier",
        {"log": '{"event": "echoed"'},
        "test-echo",
        headers={"log-type": "Tail"},
    ),
    Invocation(
        "the report in a log",
        "logs",
        {"log": "\tMax Memory Used: "},
        headers={"log-type": "Tail"},
        ours={"log": "\tMemory Size: 512 MB\t"},
        reason="the memory of a local process says nothing about that on Lambda",
    ),
    *(
        Invocation(
            name,
            "payload",
            {
                "status": 400,
                "error": "InvalidRequestContentException",
                "message": "Could not parse request body into json: Could not parse payload into "
                f"json: {reason}",
            },
            payload=payload,
        )
        for name, payload, reason in [
            ("a payload that is not UTF-8", b"n\x87r\x9e\xe9", "Invalid UTF-8 start byte 0x87"),
            ("a payload that is not JSON", b"hello", ""),
            ("a payload that only Python's parser accepts", b"[NaN]", ""),
        ]
    ),
    Invocation(
        "an exception",
        "errors",
        {"status": 200, "function_error": "Unhandled", "errorType": "ValueError"},
        payload=b'{"raise": "Handler fails"}',
    ),
    Invocation(
        "a process that ends without an error",
        "errors",
        {
            "function_error": "Unhandled",
            "errorType": "Runtime.ExitError",
            "errorMessage": "Error: Runtime exited without providing a reason",
        },
        payload=b'{"exit": 0}',
    ),
    Invocation(
        "a process that ends with an error",
        "errors",
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": "Error: Runtime exited with error: exit status 127",
        },
        payload=b'{"exit": 127}',
    ),
    Invocation(
        "a process that is killed by its own fault",
        "errors",
        {
            "errorType": "Sandbox.Timedout",
            "errorMessage": "Error: Task timed out after 30.00 seconds",
        },
        payload=b'{"signal": 11}',
        ours={
            "errorType": "Runtime.ExitError",
            "errorMessage": "Error: Runtime exited with error: signal: segmentation fault",
        },
        reason="the end of the process is known at once; Lambda says so of a process that it kills",
    ),
    Invocation(
        "a function that takes too long",
        "errors",
        {
            "function_error": "Unhandled",
            "errorType": "Sandbox.Timedout",
            "errorMessage": "Error: Task timed out after 0.50 seconds",
        },
        "test-short",
        payload=b'{"sleep": 30}',
    ),
    Invocation(
        "a module that fails as it is imported",
        "errors",
        {
            "status": 200,
            "function_error": "Unhandled",
            "errorType": "Runtime.HandlerNotFound",
            "requestId": "",
        },
        "test-absent",
    ),
    Invocation(
        "an answer that is too large",
        "api",
        {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "exceeded maximum allowed payload size (6291556 bytes).",
        },
        payload=b'{"size": 7000000}',
    ),
]

INVOCATIONS: Sequence[Invocation] = (*_NAMES, *_CALLS)
