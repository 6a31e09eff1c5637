"""./pants itself, with fakes of the two Pythons that it looks for and of Pants."""

import os
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
LAUNCHER = REPOSITORY / "build-support" / "launcher"
TOOLS = (
    "bash",
    "cat",
    "cp",
    "dirname",
    "env",
    "ls",
    "mkdir",
    "mv",
    "ps",
    "rm",
    "sh",
    "sha256sum",
    "shasum",
)

# A fake Python. It prints its path when ./pants asks for it, and does the work of install.py.
PYTHON = """#!/bin/sh
if [ "$2" = -c ]; then echo "$0"; exit; fi
echo installed >>"$CALLS"
mkdir -p "$3/venv/bin"
cp "$PANTS" "$3/venv/bin/python"
printf 'files.example\\n\\nabc\\n1\\n' >"$3/ready"
"""
# A fake Pants. It records each call, and `run` ends when its standard input is closed.
PANTS = """#!/bin/sh
shift
echo "pants $*" >>"$CALLS"
env >"$CALLS.env"
case " $* " in *" run "*) echo started; cat ;; esac
"""


@dataclass
class Clone:
    """A clone of the repository, and the machine that it is on."""

    root: Path
    machine: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return self.machine / "bin"

    @property
    def calls(self) -> list[str]:
        return (self.machine / "calls").read_text().splitlines()

    @property
    def pants_environment(self) -> dict[str, str]:
        """The environment that Pants was last called with."""
        lines = (self.machine / "calls.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def program(self, name: str, text: str) -> None:
        path = self.machine / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, *command: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command or ["./pants", "--version"],
            cwd=self.root, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def call(self, *command: str) -> tuple[int, str]:
        """The exit code and standard error of one call."""
        process = self.start(*command)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    root, machine = tmp_path / "a clone", tmp_path / "machine"
    shutil.copytree(LAUNCHER, root / "build-support" / "launcher")
    shutil.copy(REPOSITORY / "pants", root)
    shutil.copy(REPOSITORY / "pants.toml", root)
    clone = Clone(root, machine)
    for name in ("python3.9", "python3.13"):
        clone.program(f"bin/{name}", PYTHON)
    clone.program("pants", PANTS)
    for tool in TOOLS:
        if found := shutil.which(tool):
            (clone.path / tool).symlink_to(found)
    clone.environment = {
        "PATH": str(clone.path),
        "HOME": str(machine / "home"),
        "CALLS": str(machine / "calls"),
        "PANTS": str(machine / "pants"),
    }
    return clone


# --- The official launcher ------------------------------------------------------------------------


@pytest.fixture
def official(clone: Clone) -> Clone:
    stand_in = shlex.join([sys.executable, str(Path(__file__).parent / "official_launcher.py")])
    text = f'#!/bin/sh\necho "official $*" >>"$CALLS"\nexec {stand_in} "$@"\n'
    clone.program("bin/pants", text)
    return clone


@pytest.mark.parametrize("dotenv", ["", "export API_KEY='k'\nexport PANTS_CONCURRENT=x\n"])
def test_the_official_launcher_reaches_this_pants_once(official: Clone, dotenv: str) -> None:
    (official.root / ".env").write_text(dotenv)
    assert official.call("pants", "test", "::")[0] == 0
    assert official.calls == ["official test ::", "installed", "pants test ::"]


def test_pants_gets_no_variables_of_another_version_or_of_a_launcher(
    official: Clone,
) -> None:
    official.call("pants", "--version")
    assert "SCIE" not in official.pants_environment
    official.environment["PANTS_VERSION"] = "2.20.0"
    assert official.call("./pants", "--version")[0] == 0
    assert "PANTS_VERSION" not in official.pants_environment


def test_an_installed_launcher_is_never_called_back(official: Clone) -> None:
    assert official.call("./pants", "--version")[0] == 0
    assert official.calls == ["installed", "pants --version"]


# --- First contact --------------------------------------------------------------------------------


def test_pants_is_set_up_once(clone: Clone) -> None:
    clone.call()
    clone.call()
    assert clone.calls == ["installed", "pants --version", "pants --version"]


def test_a_pyenv_shim_that_does_not_work_is_skipped(clone: Clone) -> None:
    clone.program("bin/python3.9", "#!/bin/sh\nexit 127\n")
    clone.program("home/.pyenv/versions/3.9.18/bin/python", PYTHON)
    assert clone.call()[0] == 0


def test_everything_that_is_missing_is_named_at_once(clone: Clone) -> None:
    for name in ("python3.9", "python3.13"):
        (clone.path / name).unlink()
    (clone.machine / "home").write_text("a file where a folder should be")
    code, errors = clone.call()
    assert code == 1
    cache, pythons = errors.splitlines()
    assert cache.startswith("pants: cannot write to ")
    assert "set XDG_CACHE_HOME" in cache
    assert "no working Python 3.9 and 3.13 on PATH" in pythons
    assert "'uv python install 3.9 3.13'" in pythons


def test_without_home_the_error_says_what_to_set(clone: Clone) -> None:
    del clone.environment["HOME"]
    code, errors = clone.call()
    assert code == 1
    [line] = errors.splitlines()
    assert line.startswith("pants: neither HOME nor XDG_CACHE_HOME is set: set one")


def test_the_environment_of_pants_finds_its_interpreter_by_symlinks(tmp_path: Path) -> None:
    """A copy of uv's Python on macOS does not start: its library is beside the original."""

    class Reached(Exception):
        pass

    def run(*_: object, **__: object) -> None:
        raise Reached

    install = runpy.run_path(str(LAUNCHER / "install.py"))["install"]
    install.__globals__["run"] = run
    with pytest.raises(Reached):
        install(tmp_path)
    assert (tmp_path / "venv" / "bin" / "python").is_symlink()


def test_the_daemon_has_ten_minutes_to_start_and_does_not_watch_the_launcher(
    tmp_path: Path,
) -> None:
    for module, text in {
        "pants.bin.pants_loader": (
            "from pants.pantsd.pants_daemon_client import PantsDaemonClient as Client\n"
            "import sys\n"
            "def main(): print(Client().await_pid(60), Client().await_socket(60), *sys.path)\n"
        ),
        "pants.pantsd.pants_daemon_client": (
            "class PantsDaemonClient:\n"
            "    def await_pid(self, timeout): return timeout\n"
            "    def await_socket(self, timeout): return timeout\n"
        ),
    }.items():
        path = tmp_path / (module.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run(
        [sys.executable, str(LAUNCHER / "run_pants.py")],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    pid, socket, *folders = done.stdout.split()
    assert (pid, socket) == ("600", "600")
    # Pants restarts its daemon when a file on its path changes.
    assert str(LAUNCHER) not in folders


# --- Calls while a program runs -------------------------------------------------------------------


@pytest.fixture
def running(clone: Clone) -> Iterator[list[subprocess.Popen[str]]]:
    programs: list[subprocess.Popen[str]] = []
    yield programs
    for program in programs:
        program.communicate(timeout=60)


def _run(clone: Clone) -> subprocess.Popen[str]:
    program = clone.start("./pants", "run", "backend/local:up")
    assert program.stdout is not None
    assert program.stdout.readline() == "started\n"
    return program


def test_a_call_beside_a_program_has_a_daemon_of_its_own(
    clone: Clone, running: list[subprocess.Popen[str]]
) -> None:
    clone.call("./pants", "test", "::")
    assert "PANTS_SUBPROCESSDIR" not in clone.pants_environment
    running.append(_run(clone))
    assert "PANTS_SUBPROCESSDIR" not in clone.pants_environment
    _, errors = clone.call("./pants", "test", "::")
    assert clone.pants_environment["PANTS_SUBPROCESSDIR"] == f"{clone.root}/.pids/second"
    assert "PANTS_CONCURRENT" not in clone.pants_environment
    assert "this call starts a second daemon: allow it a minute" in errors
    (clone.root / ".pids" / "second" / "host" / "pantsd").mkdir(parents=True)
    (clone.root / ".pids" / "second" / "host" / "pantsd" / "pid").write_text("1")
    assert clone.call("./pants", "test", "::") == (0, "")


def test_a_program_passes_no_setting_of_its_environment_on(
    clone: Clone, running: list[subprocess.Popen[str]]
) -> None:
    running.append(_run(clone))
    setting = "python-run-against-entire-lockfile"
    assert clone.calls[-1] == f"pants --no-{setting} run backend/local:up"
    assert "PANTS_PYTHON_RUN_AGAINST_ENTIRE_LOCKFILE" not in clone.pants_environment


def test_a_call_beside_two_programs_works_without_a_daemon(
    clone: Clone, running: list[subprocess.Popen[str]]
) -> None:
    running.extend([_run(clone), _run(clone)])
    clone.call("./pants", "test", "::")
    assert clone.pants_environment["PANTS_CONCURRENT"] == "true"


def test_the_first_daemon_serves_again_once_its_program_has_ended(
    clone: Clone, running: list[subprocess.Popen[str]]
) -> None:
    first = _run(clone)
    running.append(_run(clone))
    first.communicate(timeout=60)
    clone.call("./pants", "test", "::")
    assert not {"PANTS_SUBPROCESSDIR", "PANTS_CONCURRENT"} & clone.pants_environment.keys()


def test_the_second_daemon_ends_with_the_last_program(clone: Clone) -> None:
    clone.program("pantsd", "#!/bin/sh\necho started\nwhile :; do read -r line || exit; done\n")
    daemon = clone.start(str(clone.machine / "pantsd"))
    assert daemon.stdout is not None
    daemon.stdout.readline()
    pid = clone.root / ".pids" / "second" / "host" / "pantsd" / "pid"
    pid.parent.mkdir(parents=True)
    pid.write_text(str(daemon.pid))
    program = _run(clone)
    # A call of ./pants ends the second daemon if no program runs yet. `_run` above was such a call.
    daemon.communicate(timeout=60)
    program.communicate(timeout=60)
    assert daemon.returncode < 0
    assert not pid.exists()
