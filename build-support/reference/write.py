"""Writes docs/reference: `./pants run build-support/reference:write`."""

import sys
from pathlib import Path

from reference.pages import render


def main() -> int:
    """Write every page, and print the paths of those that changed."""
    repository = Path.cwd()
    if not (repository / "pants.toml").is_file():
        print("run this in the root of the repository", file=sys.stderr)
        return 2
    for path, text in render(repository).items():
        target = repository / path
        if not target.is_file() or target.read_text() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
