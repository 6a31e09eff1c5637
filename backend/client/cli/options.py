"""The command line of the client."""

import argparse
import json
from pathlib import Path
from typing import Any

_EPILOG = """\
environment: API_GATEWAY_URL; API_KEY; INGEST_API_KEY, for ingest and for status with an id;
ID_TOKEN, an end user's, where the API has users; CONSOLE_URL, for trace. The local estate's env
file has them.

exit codes: 0 done, 1 not done or not in full, 2 wrong arguments, 3 not permitted, 4 not found,
5 nothing answers or it is overloaded, 130 interrupted."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON on standard output")
    common.add_argument("--secret", metavar="NAME", help="read the API key from Secrets Manager")
    cli = argparse.ArgumentParser(
        prog="advisor",
        description="Ask, search and ingest through the API's gateway.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = cli.add_subparsers(dest="command", required=True, metavar="COMMAND")
    ask = commands.add_parser("ask", parents=[common], help="answer a question with citations")
    ask.add_argument("question")
    ask.add_argument("--conversation", metavar="ID", help="continue an earlier conversation")
    search = commands.add_parser("search", parents=[common], help="find passages")
    search.add_argument("text")
    for command in (ask, search):
        command.add_argument("--top-k", type=_count, default=5, metavar="N", help="passages")
        command.add_argument("--filter", type=_object, metavar="JSON", help="metadata filter")
    ingest = commands.add_parser("ingest", parents=[common], help="store files and folders")
    ingest.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    status = commands.add_parser(
        "status", parents=[common], help="the services' health, or an ingestion's progress"
    )
    status.add_argument("ingestion_id", nargs="?", type=_id, metavar="INGESTION")
    trace = commands.add_parser("trace", parents=[common], help="the waterfall of a request")
    trace.add_argument("trace_id", metavar="TRACE")
    return cli


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 3 and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError("must be a number from 1 to 100")
    return int(text)


def _id(text: str) -> str:
    if text in {".", ".."}:
        raise argparse.ArgumentTypeError("must be the id of an ingestion")
    return text


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("must be a JSON object, such as '{\"year\": 2026}'")
    return value
