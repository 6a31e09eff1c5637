"""The command-line client against the whole estate, as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from local.compute.processes import BACKEND
from local.conftest import RunningUp

_FUND = "An orchard fund for rainy days covers seven months of cider expenses."


def advisor(estate: RunningUp, *arguments: str) -> Any:
    """Run a command with `--json`; return what it prints."""
    environment = {**os.environ, **estate.variables, "PYTHONPATH": str(BACKEND)}
    command = [sys.executable, "-m", "client.advisor", *arguments, "--json"]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_files_are_ingested_and_questions_answered_from_them(
    estate: RunningUp, tmp_path: Path
) -> None:
    (tmp_path / "orchard.md").write_text(f"# Orchard funds\n\n{_FUND}\n")
    # Over the size from which a file is uploaded; its text is short.
    padding = "<!-- " + "x" * (1024 * 1024) + " -->"
    page = f"<title>Cellar rates</title>{padding}<p>A cellar account pays nine per cent.</p>"
    (tmp_path / "cellar.html").write_text(page)
    try:
        files = advisor(estate, "ingest", str(tmp_path))["files"]
        assert {one["document_id"]: one["state"] for one in files} == {
            "orchard.md": "stored",
            "cellar.html": "stored",
        }
        again = advisor(estate, "ingest", str(tmp_path))["files"]
        assert {one["state"] for one in again} == {"skipped"}
        found = advisor(estate, "search", "cellar account")["passages"]
        assert found[0]["document_id"] == "cellar.html"
        answer = advisor(estate, "ask", "How many months of cider expenses does it cover?")
        assert "orchard.md" in {one["document_id"] for one in answer["citations"]}
        assert len(advisor(estate, "status")["services"]) > 1
        services = {one["service"] for one in advisor(estate, "trace", answer["trace_id"])["spans"]}
        assert "gateway" in services
    finally:
        for document_id in ("orchard.md", "cellar.html"):
            path = f"{estate.url}/api/documents/{document_id}"
            httpx.delete(path, headers=estate.ingest_headers, timeout=35)
