"""The state of the estate as one body: processes, keys, flows and faults."""

from local.console.flows import Flows
from local.console.models import Estate, FaultState, Key
from local.console.parts import Parts
from local.console.processes import Processes
from local.faults import TARGETS


class EstateState:
    """Describes the estate as it is now."""

    def __init__(self, parts: Parts, processes: Processes, flows: Flows) -> None:
        self._parts = parts
        self._processes = processes
        self._flows = flows

    def now(self) -> Estate:
        blueprint = self._parts.blueprint
        return Estate(
            project=blueprint.project,
            environment=blueprint.environment,
            gateway_url=self._parts.variables()["API_GATEWAY_URL"],
            processes=self._processes.states(),
            keys=self._keys(),
            flows=self._flows.latest(),
            faults=self.faults(),
            is_stand_in=self._parts.is_stand_in,
        )

    def faults(self) -> FaultState:
        return FaultState(ordered=self._parts.faults.as_dict()["faults"], targets=list(TARGETS))

    def _keys(self) -> list[Key]:
        api = self._parts.blueprint.api
        plans = {key_id: plan for plan in api.usage_plans for key_id in plan.key_ids}
        return [
            Key(
                name=key.name,
                used=self._parts.usage.used(key),
                limit=plans[key.key_id].quota_limit,
                period=plans[key.key_id].quota_period,
            )
            for key in api.keys
            if key.key_id in plans
        ]
