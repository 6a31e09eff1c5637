"""The output of the services: one log file each, echoed to the terminal on request."""

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

_KEPT_LINES = 40
_SEARCHED_LINES = 5
_INFO = '"level":"info"'  # as shared/logging writes it

_log = logging.getLogger(__name__)


class OutputLog:
    """The output of one service. `echo` is called with each line.

    If the disk is full, the file loses lines; one warning is logged for each outage.
    """

    def __init__(self, path: Path, *, echo: Callable[[str], None] | None = None) -> None:
        self.path = path
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._echo = echo
        self._file = path.open("ab", buffering=0)
        self._is_losing = False

    def write(self, line: bytes) -> None:
        try:
            self._file.write(line if line.endswith(b"\n") else line + b"\n")
            self._is_losing = False
        except OSError as error:
            if not self._is_losing:
                _log.warning("%s loses lines: %s", self.path.name, error.strerror)
            self._is_losing = True
        text = line.decode(errors="replace").rstrip("\n")
        self._lines.append(text)
        if self._echo is not None:
            self._echo(text)

    def last_error(self) -> str:
        """The most likely reason why the process ended: the last line that is not an info record.

        Only the last few lines are searched, because a failing server logs the reason and then some
        info records about what it closes. If all are info records, the last line of all.
        """
        lines = [line.strip() for line in reversed(self._lines) if line.strip()]
        errors = (line for line in lines[:_SEARCHED_LINES] if _INFO not in line)
        return next(errors, lines[0] if lines else "it printed nothing")

    def close(self) -> None:
        self._file.close()


type Listener = Callable[[str, str], None]
"""Called with a service and a line of its output."""


class LogFolder:
    """The logs of all services, as `{service}.log`. `show`, where given, is called with every line
    and its service's name.
    """

    def __init__(self, path: Path, *, show: Callable[[str], None] | None = None) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._listeners: list[Listener] = []
        if show is not None:
            self.on_line(lambda service, line: show(f"{service} | {line}"))
        self._logs: dict[str, OutputLog] = {}

    def __getitem__(self, service: str) -> OutputLog:
        if service not in self._logs:
            self._logs[service] = OutputLog(self.path / f"{service}.log", echo=self._echo(service))
        return self._logs[service]

    def on_line(self, listener: Listener) -> None:
        """Call `listener` with each later line."""
        self._listeners.append(listener)

    def close(self) -> None:
        for log in self._logs.values():
            log.close()

    def _echo(self, service: str) -> Callable[[str], None]:
        def echo(line: str) -> None:
            for listener in self._listeners:
                listener(service, line)

        return echo
