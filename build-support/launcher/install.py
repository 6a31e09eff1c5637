"""Sets up Pants in a cache folder; called by ./pants, with Python 3.9.

    install.py FOLDER

Makes FOLDER/venv, which has Pants, and FOLDER/pex, the Pex that Pants drives. FOLDER/ready is
written last and has four lines: where the package index keeps its files, the index itself (empty for
pip's default), and the SHA-256 and size of FOLDER/pex.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINS = Path(__file__).resolve().parent
PEX_VERSION = "2.100.5"


def main(folder):
    with open(folder / "lock", "w") as lock:
        # The kernel releases the lock when its holder ends, so a killed first call blocks nobody.
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another ./pants is setting up Pants: waiting for it (about a minute)")
            fcntl.flock(lock, fcntl.LOCK_EX)
        ready = folder / "ready"
        if not ready.exists() or not (folder / "venv/bin/python").exists():
            ready.unlink(missing_ok=True)
            say(f"Setting up Pants in {folder} (once, about a minute)")
            lines = install(folder)
            partial = folder / "ready.partial"
            partial.write_text("".join(f"{line}\n" for line in lines))
            partial.replace(ready)
            say("Pants is set up. The first goal also installs what the code needs: some minutes more")


def install(folder):
    environment = folder / "venv"
    shutil.rmtree(environment, ignore_errors=True)
    # Symlinks, because a copied interpreter may not find its library (uv on macOS).
    venv.create(environment, symlinks=True)
    python = environment / "bin/python"
    run([python, "-Im", "ensurepip", "--default-pip"])
    pip(python, "--upgrade", "--requirement", PINS / "pip.txt")
    files, index = package_index(python, folder)
    pip(python, "--requirement", PINS / "requirements.txt")
    pex = build_pex(python, folder)
    content = pex.read_bytes()
    return [files, index, hashlib.sha256(content).hexdigest(), str(len(content))]


def package_index(python, folder):
    """Where the index of pip's settings keeps its files, and that index ("" for pip's default).

    The committed lock names no host, so that it works with a mirror as well.
    """
    report = folder / "report.json"
    pip(python, "--dry-run", "--ignore-installed", "--no-deps", "--report", report,
        "--requirement", PINS / "pex.txt")  # fmt: skip
    url = json.loads(report.read_text())["install"][0]["download_info"]["url"]
    # .../packages/ab/cd/.../pex-....whl: the part before the digest's folders belongs to the index.
    files = url.split("://", 1)[1].rsplit("/packages/", 1)[0]
    index = run([python, "-m", "pip", "config", "get", "global.index-url"], check=False)
    return files, os.environ.get("PIP_INDEX_URL", index.stdout.strip())


def build_pex(python, folder):
    """Build the Pex program as one file, which the package index does not offer."""
    source, built = folder / "pex-source", folder / "pex"
    shutil.rmtree(source, ignore_errors=True)
    pip(python, "--no-deps", "--target", source, "--requirement", PINS / "pex.txt")
    wheels = folder / "pex-wheel"
    pip(python, "--no-deps", "--requirement", PINS / "pex.txt", "--dest", wheels, do="download")
    run(
        [python, "-m", "pex", "--no-pypi", "--find-links", wheels, f"pex=={PEX_VERSION}",
         "--console-script", "pex", "--output-file", built],
        env={**os.environ, "PYTHONPATH": str(source), "PEX_ROOT": str(folder / "pex-root")},
    )  # fmt: skip
    for scratch in (source, wheels, folder / "pex-root"):
        shutil.rmtree(scratch, ignore_errors=True)
    return built


def pip(python, *arguments, do="install"):
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--require-hashes"]
    run([python, "-m", "pip", do, *options, *arguments])


def run(command, check=True, env=None):
    done = subprocess.run(
        [str(part) for part in command],
        env=env, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if check and done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\npants: this failed: {' '.join(map(str, command))}")
    return done


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(f"pants: cannot set up Pants in {sys.argv[1]}: {error}")
    except KeyboardInterrupt:
        sys.exit("\npants: interrupted; the next call starts the set-up again")
