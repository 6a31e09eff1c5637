"""What the files say that no plan shows: order, lifecycle, triggers, defaults and providers.

`terraform fmt` puts each block's first and last line at the margin, so lines are enough to read it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^(\w+)((?: \"[\w-]+\")*) \{\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_NAMED: Final = {
    "resource": ("depends_on", "lifecycle", "triggers", "triggers_replace", "provisioner"),
    "variable": ("default", "sensitive", "nullable"),
    "module": ("depends_on", "source"),
    "output": ("sensitive", "depends_on", "precondition"),
}
_WHOLE: Final = ("provider", "terraform", "moved", "import", "removed", "check")


def blocks(folder: Path) -> dict[str, list[str]]:
    """Return the lines that matter of each block below a layer's folder, by the block's address."""
    found: dict[str, list[str]] = {}
    for path in sorted([*folder.glob("*.tf"), *folder.glob("modules/*/*.tf")]):
        where = path.parent.relative_to(folder).as_posix()
        prefix = "" if where == "." else f"{where}: "
        for kind, labels, body in _BLOCK.findall(path.read_text()):
            name = ".".join([kind, *re.findall(r'"([\w-]+)"', labels)])
            if lines := list(_lines(kind, body)):
                found[prefix + name.removeprefix("resource.")] = lines
    return found


def _lines(kind: str, body: str) -> Iterator[str]:
    keep = kind in _WHOLE
    for line in body.splitlines():
        text = line.split(" #")[0].strip()
        if (
            text
            and re.match(r"  [^ ]", line)
            and kind not in _WHOLE
            and text not in ("}", "]", ")")
        ):
            keep = text.split()[0].split("=")[0] in _NAMED.get(kind, ())
        if keep and text and not text.startswith("#"):
            yield re.sub(r" += ", " = ", text)
        if re.match(r"  [}\])]", line) and kind not in _WHOLE:
            keep = False
