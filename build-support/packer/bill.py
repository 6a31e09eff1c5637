"""Bills of materials: what a package or an image contains, as CycloneDX 1.6 in JSON.

A bill has neither a date nor a serial number, so equal content gives equal bytes. Standard library
only: the packer runs without third-party packages.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from typing import Any, Final
from urllib.parse import quote

SUFFIX: Final = ".cdx.json"

_MAX_LICENCE_CHARACTERS: Final = 100  # some projects write the whole text of their licence


@dataclass(frozen=True, order=True)
class Component:
    """One distribution or system package.

    Attributes:
        purl: Package URL, which identifies the component: pkg:pypi/httpx@0.28.1.
        name: Name as its project writes it.
        version: Version.
        licence: SPDX expression, or a licence's name; None if the metadata has none.
        is_expression: Whether `licence` is an SPDX expression.
    """

    purl: str
    name: str
    version: str
    licence: str | None = None
    is_expression: bool = False

    def document(self) -> dict[str, Any]:
        """Return the component in CycloneDX's form."""
        found: dict[str, Any] = {
            "type": "library",
            "bom-ref": self.purl,
            "name": self.name,
            "version": self.version,
            "purl": self.purl,
        }
        if self.licence and self.is_expression:
            found["licenses"] = [{"expression": self.licence}]
        elif self.licence:
            found["licenses"] = [{"license": {"name": self.licence}}]
        return found


def python_distribution(metadata: bytes) -> Component:
    """Return the distribution that a METADATA file describes."""
    headers = BytesHeaderParser().parsebytes(metadata)
    name, version = str(headers["Name"]), str(headers["Version"])
    expression, plain = headers["License-Expression"], str(headers["License"] or "")
    if "\n" in plain or len(plain) > _MAX_LICENCE_CHARACTERS:
        plain = ""
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return Component(
        f"pkg:pypi/{normal}@{quote(version, safe='')}",
        name,
        version,
        expression or plain or None,
        is_expression=expression is not None,
    )


def debian_packages(status: bytes) -> Iterator[Component]:
    """Yield the installed packages of a `/var/lib/dpkg/status` file."""
    for paragraph in status.split(b"\n\n"):
        if not paragraph.strip():
            continue
        fields = BytesHeaderParser().parsebytes(paragraph)
        if str(fields.get("Status", "install ok installed")).endswith(" installed"):
            name, version = str(fields["Package"]), str(fields["Version"])
            purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={fields['Architecture']}"
            yield Component(purl, name, version)


def bill(name: str, kind: str, sha256: str, components: Iterable[Component]) -> bytes:
    """Return the bill of one file.

    Args:
        name: Name of the file.
        kind: CycloneDX's type of it: application or container.
        sha256: SHA-256 of the file in hexadecimal digits.
        components: What it contains, in any order.
    """
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": kind,
                "bom-ref": name,
                "name": name,
                "hashes": [{"alg": "SHA-256", "content": sha256}],
            }
        },
        "components": [component.document() for component in sorted(set(components))],
    }
    return (json.dumps(document, indent=2) + "\n").encode()
