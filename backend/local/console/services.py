"""What the console's routes call."""

from dataclasses import dataclass

from local.console.events import Events
from local.console.flows import Flows
from local.console.gateway_client import GatewayClient
from local.console.health import HealthChecks
from local.console.library import Library
from local.console.listings import Listings
from local.console.log_lines import LogLines
from local.console.parts import Parts
from local.console.processes import Processes
from local.console.questions import Questions
from local.console.samples import Samples
from local.console.state import EstateState
from local.console.uploads import Uploads
from local.faults import Faults


@dataclass(frozen=True, slots=True)
class Services:
    """The console's own parts, over those of the estate."""

    gateway: GatewayClient
    state: EstateState
    events: Events
    listings: Listings
    library: Library
    samples: Samples
    questions: Questions
    uploads: Uploads
    processes: Processes
    health: HealthChecks
    faults: Faults

    @classmethod
    def over(cls, parts: Parts) -> "Services":
        """Listen to the estate's spans and log lines."""
        lines, flows = LogLines(), Flows(parts.hops)
        parts.logs.on_line(lines.add)
        parts.traces.on_spans(flows.add)
        gateway = GatewayClient(parts)
        processes = Processes(parts.functions, parts.hosts)
        state = EstateState(parts, processes, flows)
        uploads = Uploads(parts, gateway)
        return cls(
            gateway=gateway,
            state=state,
            events=Events(state, lines, parts.traces, uploads),
            listings=Listings(parts.traces, lines),
            library=Library(gateway),
            samples=Samples(parts, gateway),
            questions=Questions(gateway),
            uploads=uploads,
            processes=processes,
            health=HealthChecks(gateway),
            faults=parts.faults,
        )

    async def close(self) -> None:
        """End the streams and uploads."""
        self.events.close()
        await self.uploads.close()
        await self.gateway.close()
