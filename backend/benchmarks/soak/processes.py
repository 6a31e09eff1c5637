"""Memory, descriptors and threads of the estate's processes over a time."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

LAUNCHER = "launcher"
"""The process with the gateway, the console, the collector and the embedded AWS."""

_WINDOW = 0.2  # the share of the time at its begin, and at its end, that is compared


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process uses at one moment. `memory_bytes` is the memory that only it uses."""

    memory_bytes: int
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Change:
    """Usage of a process that lived throughout, at the begin and at the end.

    Memory is the median over a window, because it swings with the garbage collector; descriptors
    and threads are the most at the begin and the fewest at the end, because each open request
    has some.
    """

    name: str
    pid: int
    begin: Usage
    end: Usage

    @property
    def memory_growth(self) -> float:
        """The share by which memory grew; negative where it shrank."""
        return self.end.memory_bytes / self.begin.memory_bytes - 1

    @property
    def new_descriptors(self) -> int:
        """Descriptors that the process has more at its least busy end than at its busiest begin."""
        return max(0, self.end.descriptors - self.begin.descriptors)


def sample(root_pid: int) -> dict[tuple[str, int], Usage]:
    """The usage of a process and its descendants, by name and process id.

    Raises:
        psutil.NoSuchProcess: The process has ended.
    """
    root = psutil.Process(root_pid)
    found = {(LAUNCHER, root_pid): _usage(root)}
    for process in root.children(recursive=True):
        try:
            found[_name(process), process.pid] = _usage(process)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue  # an idle function that ended
    return found


def changes(samples: Sequence[Mapping[tuple[str, int], Usage]]) -> list[Change]:
    """The change of each process that is in all samples, by name."""
    count = max(1, round(len(samples) * _WINDOW))
    series: dict[tuple[str, int], list[Usage]] = defaultdict(list)
    for each in samples:
        for process, usage in each.items():
            series[process].append(usage)
    return [
        Change(
            *process,
            _summary(usages[:count], busiest=True),
            _summary(usages[-count:], busiest=False),
        )
        for process, usages in sorted(series.items())
        if len(usages) == len(samples)
    ]


def _summary(usages: Sequence[Usage], *, busiest: bool) -> Usage:
    choose = max if busiest else min
    return Usage(
        int(statistics.median(one.memory_bytes for one in usages)),
        choose(one.descriptors for one in usages),
        choose(one.threads for one in usages),
    )


def _usage(process: psutil.Process) -> Usage:
    return Usage(process.memory_full_info().uss, process.num_fds(), process.num_threads())


def _name(process: psutil.Process) -> str:
    """The service that a child runs: the first part of `api.handler.handler` or `runner.server`."""
    return process.cmdline()[-1].partition(".")[0]
