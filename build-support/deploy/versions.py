"""Deletes old versions of functions: their packages count towards the account's code storage."""

from collections.abc import Iterable
from typing import Any, Final

from deploy.aws import client

KEPT: Final = 10
"""Number of newest versions that stay, to roll back to."""


def prune(function: str, served: Iterable[str], kept: int = KEPT) -> list[str]:
    """Delete a function's old versions, and return them.

    The `kept` newest versions stay, and so do those in `served` and those that an alias names,
    also with a weight only.
    """
    functions = client("lambda")
    versions = sorted(
        (
            int(item["Version"])
            for page in functions.get_paginator("list_versions_by_function").paginate(
                FunctionName=function
            )
            for item in page["Versions"]
            if item["Version"].isdecimal()  # Not $LATEST, the function itself.
        ),
        reverse=True,
    )
    # Read after the versions: an alias cannot have moved to an old version that is missing here.
    needed = {*served, *_named_by_aliases(functions, function)}
    old = [str(version) for version in versions[kept:] if str(version) not in needed]
    for version in old:
        functions.delete_function(FunctionName=function, Qualifier=version)
    return old


def _named_by_aliases(functions: Any, function: str) -> Iterable[str]:
    for page in functions.get_paginator("list_aliases").paginate(FunctionName=function):
        for alias in page["Aliases"]:
            yield alias["FunctionVersion"]
            yield from alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
