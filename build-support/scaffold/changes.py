"""A set of changes to files, of which either all are made or none."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Refused(Exception):
    """Nothing was changed; the message says why, and what to do."""


class Changes:
    """Changes of files below a folder. Nothing is written before `make`.

    Args:
        root: The repository.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._texts: dict[str, str] = {}
        self._removed: list[str] = []

    def read(self, path: str) -> str:
        """Return the text of a file as the changes leave it.

        Raises:
            Refused: There is no such file.
        """
        if path in self._texts:
            return self._texts[path]
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise Refused(f"{path} does not exist") from None

    def create(self, path: str, text: str) -> None:
        """Add a file.

        Raises:
            Refused: The file exists.
        """
        if (self.root / path).exists() or path in self._texts:
            raise Refused(f"{path} exists already: choose another name, or remove it first")
        self._texts[path] = text

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Change the text of a file."""
        self._texts[path] = change(self.read(path))

    def remove(self, path: str) -> None:
        """Remove a file or a folder with all its files."""
        self._removed.append(path)

    def created(self) -> list[str]:
        """Return the files that do not exist yet."""
        return sorted(path for path in self._texts if not (self.root / path).exists())

    def edited(self) -> list[str]:
        """Return the existing files that would get another text."""
        return sorted(path for path in self._texts if (self.root / path).exists())

    def removed(self) -> list[str]:
        """Return the files and folders to remove."""
        return sorted(self._removed)

    def make(self) -> None:
        """Write and remove everything; after an error, undo what was done and raise it again."""
        before = {path: (self.root / path).read_bytes() for path in self.edited()}
        new: list[Path] = []
        folders: list[Path] = []
        aside: list[tuple[Path, Path]] = []
        try:
            for path, text in self._texts.items():
                file = self.root / path
                missing = [folder for folder in file.parents if not folder.exists()]
                file.parent.mkdir(parents=True, exist_ok=True)
                folders += reversed(missing)
                if path not in before:
                    new.append(file)
                file.write_text(text, encoding="utf-8")
            for path in self._removed:
                gone = (self.root / path).with_name(f".removed-{Path(path).name}")
                (self.root / path).rename(gone)
                aside.append((self.root / path, gone))
        except BaseException:
            for original, gone in aside:
                gone.rename(original)
            for path, content in before.items():
                (self.root / path).write_bytes(content)
            for file in new:
                file.unlink(missing_ok=True)
            for folder in reversed(folders):
                folder.rmdir()
            raise
        for _, gone in aside:
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink()

    def summary(self) -> str:
        """Return one line for each file."""
        lines = [("new", path) for path in self.created()]
        lines += [("changed", path) for path in self.edited()]
        lines += [("removed", path) for path in self.removed()]
        return "\n".join(f"  {kind:8} {path}" for kind, path in lines)


def git(root: Path, *arguments: str) -> str:
    """Return what a git command prints.

    Raises:
        Refused: git failed, or there is none; the message contains its error.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the program is fixed
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the one on PATH
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        raise Refused("there is no git on PATH") from None
    except subprocess.CalledProcessError as error:
        raise Refused(f"git {arguments[0]} failed: {error.stderr.strip()}") from error
    return done.stdout
