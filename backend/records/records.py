"""Works with the records of answers: export, verify, replay, erase and seal.

./pants run backend/records:records -- verify --bucket BUCKET

Exit codes: 0 all is well; 1 something is missing, changed, different or still retained; 2 the
command is wrong; 3 AWS refused or does not answer.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from chat.boundary.policy import load_policy
from chat.conversation_store import partition_of
from chat.dynamodb_store import DynamoConversations
from chat.recording.cipher import WrongKey
from chat.recording.keys import DynamoRecordKeys, conversation_owner, document_owner
from records import copying, opened, verification
from records.bucket import RecordsBucket
from records.copying import CopyError, LocalCopy
from records.erasure import BACKUP_DAYS, Eraser, Erasure, StillRetained
from records.opened import NotARecord
from records.replay import Unreadable, replay
from records.sealing import Sealing
from records.versions import RECORDS, Source, Version
from shared.aws.clients import aws_client
from shared.errors import ServiceError

FOUND, WRONG_COMMAND, AWS_FAILED = 1, 2, 3
_SHOWN = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (CopyError, NotARecord, StillRetained, Unreadable, WrongKey) as error:
        print(f"records: {error}", file=sys.stderr)
        return FOUND
    except ServiceError as error:
        print(f"records: {error.detail}", file=sys.stderr)
        return AWS_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="records",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("export", help="copy all records and seals to a folder")
    _bucket(command)
    command.add_argument("folder", type=Path, help="a new folder")
    command.set_defaults(run=_export)

    command = commands.add_parser("verify", help="find what is missing, changed or added")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--bucket", help="verify the bucket itself")
    source.add_argument("--folder", type=Path, help="verify a folder that `export` wrote")
    command.add_argument(
        "--seal",
        type=_noted_seal,
        metavar="NUMBER:SHA256",
        help="a seal that an earlier verification printed",
    )
    command.add_argument("--all", action="store_true", help="list every finding")
    command.set_defaults(run=_verify)

    command = commands.add_parser("replay", help="rebuild an answer and compare it")
    _bucket(command)
    _table(command)
    command.add_argument("key", help="the record's key, from the log line `answer_recorded`")
    command.add_argument(
        "--policy", type=Path, help="the boundary's policy file, if chat_policy_path names one"
    )
    command.set_defaults(run=_replay)

    command = commands.add_parser("erase", help="destroy the key of a conversation or a document")
    _bucket(command)
    _table(command)
    command.add_argument(
        "--conversations-table",
        default=os.environ.get("CONVERSATIONS_TABLE"),
        help="also delete the conversation's turns (CONVERSATIONS_TABLE)",
    )
    owner = command.add_mutually_exclusive_group(required=True)
    owner.add_argument("--conversation", help="a conversation's id")
    owner.add_argument("--document", help="a document's id")
    command.add_argument("--reason", help="why texts are erased before retention ends; it is kept")
    command.add_argument("--dry-run", action="store_true", help="only say what would be erased")
    command.set_defaults(run=_erase)

    command = commands.add_parser("seal", help="seal now what the hourly task would seal")
    _bucket(command)
    command.set_defaults(run=_seal)
    return parser


def _bucket(command: argparse.ArgumentParser) -> None:
    _with_default(command, "--bucket", "RECORDS_BUCKET", "the bucket with records")


def _table(command: argparse.ArgumentParser) -> None:
    _with_default(command, "--keys-table", "RECORD_KEYS_TABLE", "the table of the records' keys")


def _with_default(
    command: argparse.ArgumentParser, option: str, variable: str, description: str
) -> None:
    default = os.environ.get(variable)
    command.add_argument(
        option, default=default, required=not default, help=f"{description} ({variable})"
    )


def _noted_seal(value: str) -> tuple[int, str]:
    number, _, digest = value.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise argparse.ArgumentTypeError("write NUMBER:SHA256 as `verify` prints it")
    return int(number), digest


def _source(name: str) -> RecordsBucket:
    return RecordsBucket(name, partial(aws_client, "s3", read_timeout_seconds=20.0))


def _export(options: argparse.Namespace) -> int:
    count = copying.export(_source(options.bucket), options.folder)
    print(f"{count} versions are in {options.folder}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    source: Source = LocalCopy(options.folder) if options.folder else _source(options.bucket)
    report = verification.verify(source, expected=options.seal)
    most = len(report.findings) if options.all else _SHOWN
    print(*verification.lines(report, most=most), sep="\n")
    return 0 if report.is_clean else FOUND


def _replay(options: argparse.Namespace) -> int:
    content = _content(_source(options.bucket), options.key)
    keys = DynamoRecordKeys(options.keys_table, client=partial(aws_client, "dynamodb"))
    record = opened.opened(content, keys.find(opened.owners(content)))
    policy = load_policy(options.policy) if options.policy else None
    replayed = asyncio.run(replay(record, policy))
    release = record.fields["release"]
    if replayed.is_same:
        print(f"the answer and its prompt are the same, byte for byte (release {release})")
        print(replayed.recorded.decode())
        return 0
    if not replayed.same_prompt:
        print("this release gives the model another prompt")
    print(*replayed.difference(), sep="\n")
    print(f"the record names release {release}: check that release out, and replay again")
    return FOUND


def _content(bucket: RecordsBucket, key: str) -> bytes:
    versions = (
        [one for one in bucket.versions(key) if one.key == key and not one.is_marker]
        if key.startswith(RECORDS)
        else []
    )
    if not versions:
        raise NotARecord(f"There is no record {key!r} in {bucket.name}; keys begin with {RECORDS}.")
    oldest: Version = versions[-1]
    return bucket.read(oldest.key, oldest.id)


def _erase(options: argparse.Namespace) -> int:
    owner = (
        document_owner(options.document)
        if options.document
        else conversation_owner(partition_of(options.conversation))
    )
    dynamodb: Any = aws_client("dynamodb")
    eraser = Eraser(_source(options.bucket), options.keys_table, dynamodb)
    erasure = eraser.erase(owner, reason=options.reason, dry_run=options.dry_run)
    if options.conversation and options.conversations_table and not options.dry_run:
        store = DynamoConversations(options.conversations_table, client=lambda: dynamodb, days=1)
        had_turns = asyncio.run(store.erase_any(options.conversation))
        print("the conversation's turns are deleted" if had_turns else "there were no turns left")
    print(*_summary(erasure, dry_run=options.dry_run), sep="\n")
    return 0


def _summary(erasure: Erasure, *, dry_run: bool) -> list[str]:
    lines = [f"{one.at}: a key was destroyed. {one.reason}" for one in erasure.erased]
    if erasure.was_erased:
        lines.append(f"{erasure.owner} has no key; nothing is readable")
        return lines
    lines.append(
        f"{erasure.owner} has a key; it would be destroyed"
        if dry_run
        else f"the key of {erasure.owner} is destroyed"
    )
    lines.append(f"{erasure.records} records stay, with encrypted texts that nobody can read")
    if erasure.retained_until and erasure.retained_until > datetime.now(UTC):
        lines.append(
            f"until {erasure.retained_until:%Y-%m-%d} the lock keeps their times, statuses, ids "
            "of documents and passages, and hashes"
        )
    lines.append(
        f"where the table has point-in-time recovery, its backups keep the key for {BACKUP_DAYS} "
        "days"
    )
    return lines


def _seal(options: argparse.Namespace) -> int:
    print(Sealing(_source(options.bucket), now=lambda: datetime.now(UTC)).seal())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
