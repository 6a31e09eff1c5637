"""Evaluates answers: `./pants run backend/evaluation:evaluate`.

Exit status: 0 if the gate passes, 1 if it fails, 2 if the evaluation cannot be done.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation import (
    advice_boundary,
    answers,
    checks,
    comparison,
    cost,
    passages,
    prompts,
    retrieval,
)
from evaluation.calibration import calibrate
from evaluation.checkout import EvaluationFailed, checked_out, evaluate_copy
from evaluation.gate import OWN_GATE, read_gate
from evaluation.question import InvalidSet
from evaluation.question_set import OWN_FOLDER, QuestionSet, read_set
from evaluation.recorder import write_recordings
from evaluation.report import Report
from evaluation.section import Section
from evaluation.services import Asked, ServiceFailed, running_services
from shared.errors import ServiceError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evaluation and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _evaluate(options)
    except (InvalidSet, EvaluationFailed, ServiceError, ServiceFailed) as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2


def _evaluate(options: argparse.Namespace) -> int:
    found = read_set(options.set)
    asked, stored = asyncio.run(_ask(found, options.bedrock))
    if options.record:
        write_recordings(options.record, asked)
    sections = _live_sections(found, asked, stored)
    if options.set == OWN_FOLDER:
        sections += [checks.measure(), advice_boundary.measure(asked)]
    gate = OWN_GATE if options.set == OWN_FOLDER else options.set / OWN_GATE.name
    report = Report(sections, read_gate(gate))
    if options.json:
        options.json.write_text(json.dumps(report.as_json(), indent=1) + "\n", "utf-8")
    print("\n".join(report.lines()))
    if options.calibrate:
        print(f"Calibration with --bedrock {options.bedrock}\n  {calibrate(asked)}")
    if options.compare:
        _compare(report, options)
    return 1 if report.failures else 0


async def _ask(found: QuestionSet, bedrock: str) -> tuple[list[Asked], dict[str, list[str]]]:
    async with running_services(bedrock) as services:
        stored = await services.store(found.documents)
        return [await services.ask(one) for one in found.questions], stored


def _live_sections(
    found: QuestionSet, asked: Sequence[Asked], stored: dict[str, list[str]]
) -> list[Section]:
    metadata = {one.id: one.metadata for one in found.documents}
    return [
        retrieval.measure(asked),
        passages.measure(found, stored),
        prompts.measure(asked, metadata),
        answers.measure(asked),
        cost.measure(asked),
    ]


def _compare(report: Report, options: argparse.Namespace) -> None:
    passed_on = ["--set", str(options.set.resolve())] if options.set != OWN_FOLDER else []
    with checked_out(options.compare) as backend:
        before = evaluate_copy(backend, [*passed_on, "--bedrock", options.bedrock])
    print("\n".join(comparison.lines(Report.from_json(before), report, options.compare)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__)
    parser.add_argument(
        "--set",
        type=Path,
        default=OWN_FOLDER,
        metavar="DIR",
        help="a set that make_set made; by default the project's own",
    )
    parser.add_argument(
        "--bedrock",
        default="local",
        metavar="local|aws|URL",
        help="where texts are embedded and answers are written; aws costs money",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument(
        "--compare", metavar="REF", help="list what flipped since a git ref, with a paired test"
    )
    parser.add_argument(
        "--calibrate", action="store_true", help="print the relevance threshold of this set"
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write what the model answered as recordings"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
