"""A stand-in for the part of AWS CLI v2 that docs/runbook.md uses, over botocore's own models.

`aws SERVICE OPERATION [--option VALUE]... [OUTFILE]`, with `--query` and `--output`. An option that
the operation lacks is an error, as in the real one.
"""

import json
import sys
from collections.abc import Sequence
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name

_GLOBAL = ("--query", "--output", "--cli-binary-format")


def main(arguments: Sequence[str]) -> str:
    """Run a command and return what the AWS CLI prints."""
    service, operation, *rest = arguments
    client = boto3.client(service)  # type: ignore[call-overload]
    [name] = [
        each
        for each in client.meta.service_model.operation_names
        if xform_name(each, "-") == operation
    ]
    shape = client.meta.service_model.operation_model(name).input_shape
    members = {f"--{xform_name(member, '-')}": member for member in shape.members}
    parameters: dict[str, Any] = {}
    settings: dict[str, str] = {}
    outfile = None
    while rest:
        option = rest.pop(0)
        if option in _GLOBAL:
            settings[option] = rest.pop(0)
        elif option.startswith("--"):
            positive = option if option in members else "--" + option.removeprefix("--no-")
            member = members[positive]
            kind = shape.members[member].type_name
            if kind == "boolean":
                parameters[member] = positive == option
            else:
                parameters[member] = _value(kind, rest.pop(0))
        else:
            outfile = option
    answer = getattr(client, xform_name(name))(**parameters)
    answer.pop("ResponseMetadata", None)
    if outfile is not None:
        with open(outfile, "wb") as file:
            file.write(answer.pop("Payload").read())
    if "--query" in settings:
        answer = jmespath.search(settings["--query"], answer)
    return _text(answer) if settings.get("--output") == "text" else json.dumps(answer, default=str)


def _value(kind: str, text: str) -> Any:
    if kind in {"structure", "list", "map"}:
        return json.loads(text)
    if kind == "timestamp":
        return float(text)
    return text.encode() if kind == "blob" else text


def _text(answer: Any) -> str:
    if isinstance(answer, list):
        return "\n".join(
            "\t".join(map(str, item)) if isinstance(item, list) else str(item) for item in answer
        )
    return str(answer)


if __name__ == "__main__":
    print(main(sys.argv[1:]))
