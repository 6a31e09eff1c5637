"""The parts of the running estate that the console shows and changes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.aws.user_pool import UserPool
from local.blueprint import Blueprint
from local.compute.functions import Functions
from local.compute.logs import LogFolder
from local.compute.web_services import WebServiceHost
from local.faults import Faults
from local.gateway.hops import Hops
from local.gateway.usage import UsageMeter
from local.traces.store import TraceStore


@dataclass(frozen=True, slots=True)
class Parts:
    """The estate's parts. `variables` returns those of the env file, with the gateway's URL and the
    API keys; `user_pool` the pool of an estate with users, or None; `sample_batches` the sample
    documents, in bodies for the gateway. `is_stand_in`: no model on Amazon Bedrock answers.
    """

    blueprint: Blueprint
    variables: Callable[[], Mapping[str, str]]
    user_pool: Callable[[], UserPool | None]
    hops: Hops
    faults: Faults
    traces: TraceStore
    logs: LogFolder
    functions: Functions
    hosts: Sequence[WebServiceHost]
    usage: UsageMeter
    sample_batches: Callable[[], Iterable[list[dict[str, Any]]]]
    is_stand_in: bool
