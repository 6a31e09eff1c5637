"""What both layers plan in every environment, beside what the tables say of it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from tests.harness import Layer
from tests.plans import Planned, plans
from tests.tables import TOPICS, Instance, differences, instances, read, topic_of
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
    tables = {topic: read(topic, layer.name) for topic in TOPICS}
    for plan in plans(layer, variants(layer.name)):
        found = instances_of(layer.name, plan)
        for topic, table in tables.items():
            yield plan.variant, topic, differences(table, on_topic(topic, found), plan.variant)
