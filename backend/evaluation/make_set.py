"""Makes a set of documents and questions of your own: `./pants run backend/evaluation:make_set`.

The set is a folder for `evaluate --set`: the documents, and the questions with ids.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.question import InvalidSet, read_json_lines, read_questions
from evaluation.question_set import (
    DOCUMENTS,
    QUESTIONS,
    QuestionSet,
    missing_places,
    read_documents,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the set and return the exit status: 0, or 2 if something is wrong."""
    parser = argparse.ArgumentParser(prog="make_set", description=__doc__)
    parser.add_argument("folder", type=Path, help="text, Markdown, HTML and PDF documents")
    parser.add_argument("questions", type=Path, help="one JSON object a line; docs/evaluation.md")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    options = parser.parse_args(arguments)
    try:
        found = make_set(options.folder, options.questions, options.out)
    except InvalidSet as error:
        print(f"make_set: {error}", file=sys.stderr)
        return 2
    kinds = sorted({one.kind for one in found.questions})
    print(
        f"{options.out}: {len(found.documents)} documents and {len(found.questions)} questions "
        f"({', '.join(kinds)}). Evaluate it with --set {options.out}"
    )
    return 0


def make_set(folder: Path, questions: Path, out: Path) -> QuestionSet:
    """Write a set into a new folder and return it.

    Questions without an id get one.

    Raises:
        InvalidSet: A document cannot be read, a question is wrong, or `out` is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise InvalidSet(f"{out} is not empty: name a new folder")
    documents = list(read_documents(folder))
    out.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps({"id": f"q-{number:03}", **fields}, ensure_ascii=False) + "\n"
        for number, fields in read_json_lines(questions)
    ]
    (out / QUESTIONS).write_text("".join(lines), "utf-8")
    try:
        found = QuestionSet(documents, read_questions(out / QUESTIONS))
        _require_places(found)
    except InvalidSet:
        (out / QUESTIONS).unlink()
        raise
    shutil.copytree(folder, out / DOCUMENTS, ignore=shutil.ignore_patterns(".*"))
    return found


def _require_places(found: QuestionSet) -> None:
    if missing := list(missing_places(found)):
        raise InvalidSet("\n  ".join(["these labels fit no document:", *missing]))


if __name__ == "__main__":
    sys.exit(main())
