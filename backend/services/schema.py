"""Writes services.schema.json: `./pants run backend/services:schema`."""

import json
from pathlib import Path
from typing import Final

from services.declared import FILE, schema

SCHEMA_FILE: Final = FILE.with_name("services.schema.json")


def text() -> str:
    """Return the content of the file."""
    return json.dumps(schema(), indent=2) + "\n"


def main(file: Path = SCHEMA_FILE) -> None:
    """Write the file."""
    file.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
