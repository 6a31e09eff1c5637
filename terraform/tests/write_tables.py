"""Writes the tables of what each layer has, from its plans.

`./pants run terraform/tests:write_tables`. Run it after a deliberate change. Review each changed
line: it is what the change does.
"""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.estate import LAYERS, instances_of, on_topic
from tests.plans import mocked_layer, plans
from tests.tables import FOLDER, TOPICS, encoded, text_of
from tests.variants import variants
from tests.written_blocks import blocks


def main() -> None:
    for name in LAYERS:
        with tempfile.TemporaryDirectory() as folder:
            layer = mocked_layer(name, Path(folder))
            found = [
                item for plan in plans(layer, variants(name)) for item in instances_of(name, plan)
            ]
            for topic in TOPICS:
                _write(f"{topic}-{name}.json", text_of(encoded(on_topic(topic, found))))
            _write(f"blocks-{name}.json", _text_of_blocks(blocks(layer.folder)))


def _text_of_blocks(found: Mapping[str, Any]) -> str:
    lines = [f"  {json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _write(name: str, text: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_text(text)
    print(f"{FOLDER.name}/{name}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    main()
