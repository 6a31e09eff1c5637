"""Sets up in the cache folder what ./pants runs; called by ./pants, with any Python from 3.9.

    install.py FOLDER pants|index

"pants" installs Pants and builds its Pex, "index" only asks pip where the package index keeps its
files (all that an installed Pants launcher lacks). FOLDER/ready holds the answers, a line each.
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


def main(folder, what):
    folder.mkdir(parents=True, exist_ok=True)
    # Of two first calls at once the second waits, then finds the work done. A lock of the kernel's
    # goes with its holder, so that a killed first call blocks nobody.
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = folder / "ready"
        if not ready.exists() or not (folder / "venv/bin/python").exists():
            ready.unlink(missing_ok=True)
            print(f"Setting up {what} in {folder} (once, about a minute)", file=sys.stderr)
            lines = install(folder, what)
            partial = folder / "ready.partial"
            partial.write_text("".join(f"{line}\n" for line in lines))
            partial.replace(ready)


def install(folder, what):
    shutil.rmtree(folder / "venv", ignore_errors=True)
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    pip(python, "--upgrade", "--requirement", PINS / "pip.txt")
    files, index = package_index(python, folder)
    if what == "index":
        return [files, index, "", ""]
    pip(python, "--requirement", PINS / "requirements.txt")
    pex = build_pex(python, folder)
    content = pex.read_bytes()
    return [files, index, hashlib.sha256(content).hexdigest(), str(len(content))]


def package_index(python, folder):
    """Where the index in pip's settings keeps its files, and that index ("" for pip's own default).

    The committed lock names no host, so that it works with a mirror as well.
    """
    report = folder / "report.json"
    pip(python, "--dry-run", "--ignore-installed", "--no-deps", "--report", report,
        "--requirement", PINS / "pex.txt")  # fmt: skip
    url = json.loads(report.read_text())["install"][0]["download_info"]["url"]
    # …/packages/ab/cd/…/pex-….whl: what stands before the digest's folders is the index's own.
    files = url.split("://", 1)[1].rsplit("/packages/", 1)[0]
    index = run([python, "-m", "pip", "config", "get", "global.index-url"], check=False)
    return files, os.environ.get("PIP_INDEX_URL", index.stdout.strip())


def build_pex(python, folder):
    """The Pex program as one file: its releases carry one, the package index does not."""
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
