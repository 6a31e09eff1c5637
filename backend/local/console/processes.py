"""The processes of each service: their state and memory; they can be stopped and restarted."""

from collections.abc import Iterable, Sequence
from typing import Literal

import psutil

from local.compute.functions import FunctionPool, Functions
from local.compute.web_services import WebServiceHost
from local.console.models import Process, ProcessState
from services.declared import DECLARED

type Action = Literal["start", "stop", "restart"]


class Processes:
    """The processes of all services.

    `change` raises KeyError for an unknown service, and InitFailedError or ServiceFailedError if a
    process does not start.
    """

    def __init__(self, functions: Functions, hosts: Sequence[WebServiceHost]) -> None:
        self._functions = functions
        self._hosts = {host.service.service: host for host in hosts}

    def states(self) -> list[Process]:
        functions = [_function(pool) for pool in self._functions]
        hosts = [_host(host) for host in self._hosts.values()]
        return sorted([*functions, *hosts], key=lambda one: one.service)

    async def change(self, service: str, action: Action) -> None:
        if host := self._hosts.get(service):
            await _change_host(host, action)
        else:
            await _change_pool(self._functions.of_service(service), action)


async def _change_host(host: WebServiceHost, action: Action) -> None:
    if action == "stop":
        await host.stop()
    elif host.is_stopped:
        await host.start()
    elif action == "restart":
        await host.reload()


async def _change_pool(pool: FunctionPool, action: Action) -> None:
    if action == "stop":
        await pool.suspend()
    elif pool.is_suspended:
        await pool.resume()
    elif action == "restart":
        await pool.reload()
    elif not pool.pids:
        await pool.warm()


def _function(pool: FunctionPool) -> Process:
    pids = pool.pids
    state: ProcessState = "up"
    if pool.is_suspended:
        state = "stopped"
    elif not pids:
        # The next invocation starts a process, also after one that crashed or took too long.
        state = "starting" if pool.is_starting else "down" if pool.cannot_start else "idle"
    service = pool.function.service
    declared = DECLARED.services.get(service)
    return Process(
        service=service,
        kind="task" if declared is not None and declared.kind == "task" else "function",
        state=state,
        processes=len(pids),
        memory_mb=_memory_mb(pids),
        memory_limit_mb=pool.function.memory_mb,
        cold_starts=pool.cold_starts,
        restarts=pool.restarts,
    )


def _host(host: WebServiceHost) -> Process:
    pids = [host.pid] if host.alive and host.pid else []
    state: ProcessState = "up" if pids else "stopped" if host.is_stopped else "down"
    declared = DECLARED.services.get(host.service.service)
    return Process(
        service=host.service.service,
        kind="container",
        state=state if host.starts else "starting",
        processes=len(pids),
        memory_mb=_memory_mb(pids),
        memory_limit_mb=declared.memory_mb if declared else None,
        cold_starts=host.starts,
        restarts=host.restarts,
    )


def _memory_mb(pids: Iterable[int]) -> float:
    total = 0
    for pid in pids:
        try:
            total += psutil.Process(pid).memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return round(total / 2**20, 1)
