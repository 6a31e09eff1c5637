"""THIRD_PARTY.md as text, and the packages that such a text lists."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from licences.packages import Notice, Package

_INTRODUCTION: Final = """\
# Third-party packages

Generated: `./pants package ::`, then `./pants run build-support/licences:third_party`. A test
compares the list with `3rdparty/python/default.lock` and with the packages.

fin-advisor itself is under the [Apache License 2.0](LICENSE). The functions' zips and the runner's
image contain the packages below, unmodified except that the zips leave out files that are not
needed at run time. The image's base adds Python and Debian, whose notices are in the image under
`/usr/share/doc` and `/usr/local/lib/python3.13/LICENSE.txt`.
"""

_MPL: Final = """\
## Under the Mozilla Public License 2.0

These packages, or parts of them, are under MPL-2.0. They are shipped unmodified. Their source code
is available at the address beside each; the licence's text is among the notices below.
"""

_ROW: Final = re.compile(r"\| (?P<name>[A-Za-z0-9._-]+) \| (?P<version>[0-9][^ |]*) \| .* \|")


def render(packages: Mapping[str, Package], notices: Mapping[str, Sequence[Notice]]) -> str:
    """Return the document.

    Args:
        packages: The shipped packages, by the folder of their metadata.
        notices: Their licence files, by the same.
    """
    parts = [_INTRODUCTION, _table(list(packages.values()))]
    if mozilla := [p for p in packages.values() if re.search("MPL|Mozilla", p.licence)]:
        parts += [_MPL, "\n".join(f"* {p.name} {p.version}: {p.source}" for p in mozilla) + "\n"]
    parts.append("## Notices\n")
    if bare := [p for folder, p in packages.items() if not notices.get(folder)]:
        parts.append("These packages contain no licence file, only the name of their licence:\n")
        parts.append("\n".join(f"* {p.name}: {p.licence}" for p in bare) + "\n")
    for text, owners in _by_text(packages, notices).items():
        heading = ", ".join(owners)
        parts.append(f"### {heading}\n\n{_fence(text)}text\n{text}\n{_fence(text)}\n")
    return "\n".join(parts)


def listed(document: str) -> set[tuple[str, str]]:
    """Return name and version of each package that a document lists."""
    rows = (_ROW.fullmatch(line) for line in document.splitlines())
    return {(row["name"], row["version"]) for row in rows if row}


def _table(packages: Sequence[Package]) -> str:
    rows = [f"| {p.name} | {p.version} | {p.licence} | {p.source} |" for p in packages]
    return "\n".join(["| package | version | licence | source |", "|---|---|---|---|", *rows, ""])


def _by_text(
    packages: Mapping[str, Package], notices: Mapping[str, Sequence[Notice]]
) -> dict[str, list[str]]:
    """Return the packages of each text: many packages have the same one."""
    owners: dict[str, list[str]] = {}
    for folder, package in packages.items():
        for notice in notices.get(folder, ()):
            names = owners.setdefault(notice.text, [])
            if package.name not in names:
                names.append(package.name)
    return owners


def _fence(text: str) -> str:
    """Return a fence that is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)
