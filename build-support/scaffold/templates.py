"""The files that new services and endpoints begin with."""

import re
from pathlib import Path
from typing import Final

TABLE: Final = "terraform/tests/tables/service-{name}.json"

_FOLDER: Final = Path(__file__).with_name("templates")
_LONGEST_TUPLE: Final = 82  # What fits into the line of CALLED.
_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")
_IMPORTS: Final = re.compile(r"(?:^ *from [a-z][\w.]* import [^\n(]+\n)+", re.MULTILINE)


def filled(template: str, **values: str) -> str:
    """Return the text of a template with its places filled in, and its imports sorted."""
    text = (_FOLDER / f"{template}.txt").read_text(encoding="utf-8")
    text = _PLACE.sub(lambda match: values[match[1]], text)
    # The order of the imports depends on the service's name.
    return _IMPORTS.sub(lambda block: "".join(sorted(block[0].splitlines(keepends=True))), text)


def new_files(name: str, calls: list[str]) -> dict[str, str]:
    """Return the files of a new service, by their path in the repository."""
    return {
        **{f"backend/{name}/{path}": text for path, text in _folder(name, calls).items()},
        f"terraform/lambda-{name}.tf": filled("lambda.tf", name=name),
        TABLE.format(name=name): filled("service_table.json", name=name),
    }


def _folder(name: str, calls: list[str]) -> dict[str, str]:
    """Return the files of a new service's folder, by their path in it."""
    called = ", ".join(f'"{each}"' for each in calls) + "," * (len(calls) == 1)
    if len(called) > _LONGEST_TUPLE:
        called = "\n" + "".join(f'    "{each}",\n' for each in calls)
    files = {}
    for folder in ("service", "caller") if calls else ("service",):
        for file in sorted((_FOLDER / folder).rglob("*.txt")):
            template = file.relative_to(_FOLDER).as_posix().removesuffix(".txt")
            # Pants would read a template called BUILD.txt as a BUILD file.
            path = template.removeprefix(f"{folder}/").replace("build_file", "BUILD")
            files[path] = filled(template, name=name, called=called)
    return files
