"""The env file: `export NAME=value` lines, which tell programs where the running estate is."""

import contextlib
import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path

# A file with this variable was written by the estate, and may be replaced.
_MARKER = "API_GATEWAY_URL="


class EnvFile:
    """An env file at `path`, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: os.stat_result | None = None

    def problem(self) -> str | None:
        """Why the file cannot be written, in one line; None if it can."""
        try:
            if self.path.is_dir():
                return f"{self.path} is a folder: name a file, such as {self.path / 'estate.env'}"
            if self.path.exists() and not self._replaceable():
                return f"{self.path} exists and is not an env file of the estate: name another file"
            with tempfile.TemporaryFile(dir=self.path.absolute().parent):
                return None
        except OSError as error:
            return f"{self.path} cannot be written: {error.strerror}"

    def write(self, variables: Mapping[str, str]) -> None:
        """Create or replace the file in one step: readers see all of it or nothing."""
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
        # mkstemp creates the file with mode 0600.
        descriptor, draft = tempfile.mkstemp(
            prefix=f".{self.path.name}.", dir=self.path.absolute().parent
        )
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.writelines(lines)
                self._written = os.fstat(descriptor)
            Path(draft).replace(self.path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise

    def read(self) -> dict[str, str]:
        """Return the variables that a shell exports when it sources the file.

        Raises:
            ValueError: It has other lines than `export NAME=value`.
        """
        lines = [shlex.split(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
        if any(len(line) != 2 or line[0] != "export" for line in lines):
            raise ValueError(f"{self.path} is not an env file")
        return dict(pair.split("=", 1) for _, pair in lines)

    def remove_stale(self) -> None:
        """Remove the file of an earlier run, so that its existence means that this run is ready."""
        self.path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove what `write` wrote, unless another run has replaced it meanwhile."""
        if self._written is None:
            return
        with contextlib.suppress(OSError):
            if os.path.samestat(self._written, self.path.stat()):
                self.path.unlink()

    def _replaceable(self) -> bool:
        if not self.path.is_file():
            return False
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return not text.strip() or _MARKER in text
