"""Writes the OpenAPI document from which the page's types are generated."""

import json
import sys
from pathlib import Path

from local.console.app import create_app

DOCUMENT = Path(__file__).with_name("web") / "openapi.json"


def main() -> int:
    document = create_app(None, "").openapi()
    DOCUMENT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
