"""What both layers plan in every environment, beside what the tables say of it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.comparison import differences, without
from tests.harness import Layer
from tests.plans import Planned, plans
from tests.tables import TOPICS, Instance, encoded, instances, read, read_added, topic_of
from tests.variants import ENVIRONMENTS, variants
from tests.written_blocks import blocks

LAYERS: Final = ("bootstrap", "terraform")


def instances_of(layer: str, plan: Planned) -> list[Instance]:
    """Return the resources of a plan as the tables write them."""
    return list(instances(plan, ENVIRONMENTS[plan.variant] if layer == "terraform" else None))


def on_topic(topic: str, found: Iterable[Instance]) -> list[Instance]:
    """Return the instances that belong to one table."""
    return [item for item in found if topic_of(item.address) == topic]


def block_differences(layer: Layer) -> list[str]:
    """Return a line for each block whose order, lifecycle or default is not as the table says."""
    written: dict[str, Any] = read("blocks", layer.name)
    for added in read_added("blocks", layer.name):
        written |= added
    found = blocks(layer.folder)
    return [
        f"{name}: {written.get(name)} became {found.get(name)}"
        for name in sorted({*written, *found})
        if written.get(name) != found.get(name)
    ]


def plan_differences(layer: Layer) -> Iterator[tuple[str, str, list[str]]]:
    """Yield, for each plan and table, their names and a line for each difference.

    Each plan is compared as soon as it is there, so a caller may stop at the first difference.
    """
    tables = {topic: (read(topic, layer.name), read_added(topic, layer.name)) for topic in TOPICS}
    for plan in plans(layer, variants(layer.name)):
        found = instances_of(layer.name, plan)
        for topic, (table, added) in tables.items():
            on = on_topic(topic, found)
            yield plan.variant, topic, differences(table, on, plan.variant, added)


def additions(layer: Layer) -> dict[str, dict[str, Any]]:
    """Return what a layer has beyond each of its tables, by the table's name."""
    added: dict[str, dict[str, Any]] = {}
    every = plans(layer, variants(layer.name))
    found = [item for plan in every for item in instances_of(layer.name, plan)]
    for topic in TOPICS:
        new = without(on_topic(topic, found), [read(topic, layer.name)])
        added[f"{topic}-{layer.name}"] = encoded(new, found)
    written = read("blocks", layer.name)
    new_blocks = blocks(layer.folder).items()
    added[f"blocks-{layer.name}"] = {k: v for k, v in new_blocks if k not in written}
    return added
