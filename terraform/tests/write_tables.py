"""Writes the tables of what each layer has, from its plans.

`./pants run terraform/tests:write_tables`. Run it after a deliberate change. Review each changed
line: it is what the change does. `-- --added NAME` leaves the tables as they are, and writes what
the plans have beyond them to `tables/service-NAME.json`.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.estate import LAYERS, additions, instances_of, on_topic
from tests.harness import Layer
from tests.plans import mocked_layer, plans
from tests.tables import (
    FOLDER,
    TOPICS,
    encoded,
    service_file,
    service_files,
    text_of,
    text_of_service,
)
from tests.variants import variants
from tests.written_blocks import blocks


def main(arguments: Sequence[str] | None = None) -> None:
    cli = argparse.ArgumentParser(prog="write_tables", description=__doc__)
    cli.add_argument("--added", metavar="NAME", help="a new service")
    name = cli.parse_args(arguments).added
    added: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for layer in (mocked_layer(each, Path(folder)) for each in LAYERS):
            if name:
                added |= additions(layer)
            else:
                _write_tables(layer)
    if name:
        _write(service_file(name), text_of_service(added))
    else:
        for file in service_files():
            file.unlink()
            print(f"{FOLDER.name}/{file.name}: deleted, the tables have the service")


def _write_tables(layer: Layer) -> None:
    every = plans(layer, variants(layer.name))
    found = [item for plan in every for item in instances_of(layer.name, plan)]
    for topic in TOPICS:
        table = encoded(on_topic(topic, found))
        _write(FOLDER / f"{topic}-{layer.name}.json", text_of(table))
    written = dict(sorted(blocks(layer.folder).items()))
    _write(FOLDER / f"blocks-{layer.name}.json", text_of(written))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    print(f"{FOLDER.name}/{file.name}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    main()
