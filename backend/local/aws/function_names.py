"""The names by which Lambda's API calls functions: a name, a partial ARN or an ARN, each with a
qualifier or without.
"""

import re
from dataclasses import dataclass

from local.blueprint import ACCOUNT_ID, REGION

_NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    r"(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:)?"
    r"(?P<account>\d{12}:)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)"
    r"(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
_QUALIFIER = re.compile(r"\$(?:LATEST(?:\.PUBLISHED)?)|[a-zA-Z0-9-_$]+")
_LONGEST_QUALIFIER = 128


class RefusedRequestError(Exception):
    """Lambda refuses the request, with its HTTP `status` and its error `code`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function, and the version or alias of it, as a caller named them."""

    name: str
    qualifier: str | None

    def not_found(self) -> RefusedRequestError:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.name}"
        message = f"Function not found: {arn}:{self.qualifier or '$LATEST'}"
        return RefusedRequestError(404, "ResourceNotFoundException", message)


def parse(name: str, qualifier: str | None) -> FunctionName:
    """The function that a request names in its path and its parameter `Qualifier`.

    Raises RefusedRequestError for what Lambda refuses before it looks for the function.
    """
    wrong = []
    if qualifier is not None and len(qualifier) > _LONGEST_QUALIFIER:
        wrong.append(
            f"Value '{qualifier}' at 'qualifier' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_LONGEST_QUALIFIER}"
        )
    elif qualifier is not None and not _QUALIFIER.fullmatch(qualifier):
        wrong.append(_mismatch(qualifier, "qualifier", _QUALIFIER))
    found = _NAME.fullmatch(name)
    if found is None:
        wrong.append(_mismatch(name, "functionName", _NAME))
    if wrong or found is None:
        raise validation_error(wrong)
    own = found["qualifier"]
    if own is not None and qualifier is not None and own != qualifier:
        raise RefusedRequestError(
            400,
            "InvalidParameterValueException",
            "The derived qualifier from the function name does not match the specified qualifier.",
        )
    region, account = (found["region"] or REGION).rstrip(":"), found["account"]
    if region != REGION:
        message = f"Functions from '{region}' are not reachable in this region ('{REGION}')"
        raise RefusedRequestError(404, "ResourceNotFoundException", message)
    if account not in {None, f"{ACCOUNT_ID}:"}:
        raise RefusedRequestError(
            403,
            "AccessDeniedException",
            f"User: arn:aws:iam::{ACCOUNT_ID}:root is not authorized to perform: "
            f"lambda:InvokeFunction on resource: {name} because no resource-based policy allows "
            "the lambda:InvokeFunction action",
        )
    return FunctionName(found["name"], own or qualifier)


def validation_error(wrong: list[str]) -> RefusedRequestError:
    """The error for parameters that violate the constraints of Lambda's API."""
    plural = "s" if len(wrong) > 1 else ""
    message = f"{len(wrong)} validation error{plural} detected: {'; '.join(wrong)}"
    return RefusedRequestError(400, "ValidationException", message)


def _mismatch(value: str, parameter: str, pattern: re.Pattern[str]) -> str:
    return (
        f"Value '{value}' at '{parameter}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern.pattern}"
    )
