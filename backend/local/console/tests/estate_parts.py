"""The parts of an estate without processes, behind a real gateway's URL."""

from pathlib import Path

from local.blueprint import SERVICES
from local.compute.functions import Functions
from local.compute.logs import LogFolder
from local.console.parts import Parts
from local.default_estate import default_estate
from local.demo.documents import batches, documents
from local.faults import Faults
from local.gateway.hops import Hops
from local.gateway.usage import UsageMeter
from local.traces.store import TraceStore

KEYS = {name: f"key-of-{name}" for name in (*SERVICES, "client", "ingest")}


def parts(folder: Path, gateway_url: str = "http://127.0.0.1:1/dev") -> Parts:
    """Parts whose gateway is at that URL; nobody listens at the default one."""
    blueprint = default_estate(keys=KEYS, origin_secret="origin")
    variables = {
        "API_GATEWAY_URL": gateway_url,
        "API_KEY": KEYS["client"],
        "INGEST_API_KEY": KEYS["ingest"],
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }
    return Parts(
        blueprint=blueprint,
        variables=lambda: variables,
        user_pool=lambda: None,
        hops=Hops(),
        faults=Faults(),
        traces=TraceStore(),
        logs=LogFolder(folder / "logs"),
        functions=Functions([]),
        hosts=[],
        usage=UsageMeter(blueprint.api),
        sample_batches=lambda: batches(documents()),
        is_stand_in=True,
    )
