"""The output of the services: a file each, the last lines at hand, and all of it on the terminal if
asked for.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path

_KEPT_LINES = 40
_LAST_WORDS_LINES = 5
_INFORMATION = '"level":"info"'  # in a line of shared/logging


class OutputLog:
    """The output of one service; `echo` gets each line as it comes."""

    def __init__(self, path: Path, *, echo: Callable[[str], None] | None = None) -> None:
        self.path = path
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._echo = echo
        self._file = path.open("ab", buffering=0)

    def write(self, line: bytes) -> None:
        self._file.write(line if line.endswith(b"\n") else line + b"\n")
        text = line.decode(errors="replace").rstrip("\n")
        self._lines.append(text)
        if self._echo is not None:
            self._echo(text)

    def last_words(self) -> str:
        """The last line that says something. One logged as information gives way to a line shortly
        before it that is more: a server that cannot go on says why, and then what it closed.
        """
        said = [line.strip() for line in reversed(self._lines) if line.strip()]
        troubles = (line for line in said[:_LAST_WORDS_LINES] if _INFORMATION not in line)
        return next(troubles, said[0] if said else "it said nothing")

    def close(self) -> None:
        self._file.close()


class LogFolder:
    """The logs of all services, `{service}.log` each; `show` gets every line with its service when
    it is given.
    """

    def __init__(self, path: Path, *, show: Callable[[str], None] | None = None) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._show = show
        self._logs: dict[str, OutputLog] = {}

    def __getitem__(self, service: str) -> OutputLog:
        if service not in self._logs:
            self._logs[service] = OutputLog(self.path / f"{service}.log", echo=self._echo(service))
        return self._logs[service]

    def close(self) -> None:
        for log in self._logs.values():
            log.close()

    def _echo(self, service: str) -> Callable[[str], None] | None:
        show = self._show
        return None if show is None else (lambda line: show(f"{service} | {line}"))
