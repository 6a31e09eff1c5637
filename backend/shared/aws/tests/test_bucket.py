"""The bucket adapter against the embedded AWS; some answers of S3 are replaced by errors."""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config

from shared.aws.bucket import (
    DEFAULT_CONTENT_TYPE,
    Bucket,
    ObjectChanged,
    ObjectTooLarge,
    WriteConflict,
    WriteInProgress,
)
from shared.errors import BadDependency, Unavailable

_STATUS = {
    "AccessDenied": 403,
    "ConditionalRequestConflict": 409,
    "InternalError": 500,
    "OperationAborted": 409,
    "SlowDown": 503,
}


@pytest.fixture
def s3(aws_server: Any) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=aws_server.endpoint_url,
        region_name=aws_server.region,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"mode": "standard", "total_max_attempts": 2}),
    )


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    name = f"bucket-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return Bucket(name, lambda: s3)


def answer_with(
    s3: Any,
    operation: str,
    body: str,
    *,
    status: int = 200,
    times: int = 100,
    before: Callable[[], Any] = lambda: None,
) -> list[Any]:
    """Answer an operation of this client instead of S3; return the requests that were answered.

    `before` is called first.
    """
    answered: list[Any] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        if len(answered) >= times:
            return None
        answered.append(request)
        before()
        raw: Any = io.BytesIO(body.encode())
        raw.stream = lambda: iter([body.encode()])
        return AWSResponse(request.url, status, HTTPHeaders(), raw)

    s3.meta.events.register(f"before-send.s3.{operation}", answer)
    return answered


def fail_with(s3: Any, operation: str, code: str, **options: Any) -> list[Any]:
    body = f"<Error><Code>{code}</Code><Message>on purpose</Message></Error>"
    return answer_with(s3, operation, body, status=_STATUS[code], **options)


def test_an_object_is_read_as_it_was_written(bucket: Bucket) -> None:
    written = bucket.put("a/b.json", b"{}", content_type="application/json")
    assert bucket.get("a/b.json") == written
    assert written.data == b"{}"
    assert bucket.put("c", b"").content_type == DEFAULT_CONTENT_TYPE
    found = bucket.get("c")
    assert found is not None
    assert found.content_type == DEFAULT_CONTENT_TYPE


def test_an_object_that_does_not_exist_is_none(bucket: Bucket) -> None:
    assert bucket.get("nothing") is None


def test_an_unchanged_object_is_not_sent_again(bucket: Bucket) -> None:
    known = bucket.put("a", b"1")
    assert bucket.get("a", known=known) is known
    newer = bucket.put("a", b"2")
    assert bucket.get("a", known=known) == newer
    bucket.delete("a")
    assert bucket.get("a", known=known) is None


def test_an_object_that_is_too_large_is_not_read(bucket: Bucket) -> None:
    bucket.put("a", b"12345")
    assert bucket.get("a", max_bytes=5) is not None
    with pytest.raises(ObjectTooLarge):
        bucket.get("a", max_bytes=4)


def test_an_object_is_read_piece_by_piece(bucket: Bucket) -> None:
    bucket.put("a", b"12345")
    with bucket.open("a") as body:
        assert body is not None
        assert (body.read(2), body.read(), body.read()) == (b"12", b"345", b"")
    with bucket.open("nothing") as body:
        assert body is None


class Damaged(BaseHTTPRequestHandler):
    """Ends an object in the middle, or with `/damaged` gives it a checksum of other bytes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path.endswith("damaged"):
            self.send_header("x-amz-checksum-crc32", "AAAAAA==")
            self.send_header("content-length", "3")
        else:
            self.send_header("content-length", "100")
        self.end_headers()
        self.wfile.write(b"abc")
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def _read(bucket: Bucket, key: str) -> Any:
    return bucket.get(key)


def _read_in_pieces(bucket: Bucket, key: str) -> Any:
    with bucket.open(key) as body:
        assert body is not None
        return body.read(2) + body.read()


@contextmanager
def _damaging() -> Iterator[Bucket]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Damaged) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(response_checksum_validation="when_required"),
        )
        yield Bucket("things", lambda: client)
        server.shutdown()


@pytest.mark.parametrize("read", [_read, _read_in_pieces])
def test_an_object_that_breaks_off_is_not_returned(read: Callable[[Bucket, str], Any]) -> None:
    with _damaging() as bucket, pytest.raises(Unavailable, match="read s3://things/short"):
        read(bucket, "short")


def test_an_object_without_its_checksum_is_not_returned() -> None:
    with _damaging() as bucket, pytest.raises(BadDependency, match="read s3://things/damaged"):
        _read(bucket, "damaged")


def test_a_reader_with_a_checksum_of_its_own_gets_what_arrives() -> None:
    with _damaging() as bucket:
        assert _read_in_pieces(bucket, "damaged") == b"abc"


def test_put_if_absent_writes_once(bucket: Bucket) -> None:
    first = bucket.put_if_absent("a", b"1")
    with pytest.raises(ObjectChanged):
        bucket.put_if_absent("a", b"2")
    assert bucket.get("a") == first


def test_put_if_match_replaces_that_version_only(bucket: Bucket) -> None:
    first = bucket.put("a", b"1")
    second = bucket.put_if_match("a", b"2", first.etag)
    with pytest.raises(ObjectChanged):
        bucket.put_if_match("a", b"3", first.etag)
    assert bucket.get("a") == second


def test_put_if_match_conflicts_with_a_deletion(bucket: Bucket) -> None:
    first = bucket.put("a", b"1")
    bucket.delete("a")
    with pytest.raises(ObjectChanged):
        bucket.put_if_match("a", b"2", first.etag)
    assert bucket.get("a") is None


def test_the_retry_of_a_write_that_succeeded_despite_an_error_conflicts(
    bucket: Bucket, s3: Any
) -> None:
    first = bucket.put("a", b"1")
    fail_with(s3, "PutObject", "InternalError", times=1, before=lambda: bucket.put("a", b"2"))
    with pytest.raises(ObjectChanged):
        bucket.put_if_match("a", b"2", first.etag)
    found = bucket.get("a")
    assert found is not None
    assert found.data == b"2"


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "OperationAborted"])
def test_a_write_in_progress_is_not_reported_as_a_changed_object(
    code: str, bucket: Bucket, s3: Any
) -> None:
    etag = bucket.put("a", b"1").etag
    fail_with(s3, "PutObject", code)
    writes: list[Callable[[], Any]] = [
        lambda: bucket.put_if_absent("a", b"2"),
        lambda: bucket.put_if_match("a", b"2", etag),
    ]
    for write in writes:
        with pytest.raises(WriteInProgress) as caught:
            write()
        assert isinstance(caught.value, WriteConflict)
    with pytest.raises(BadDependency):
        bucket.put("a", b"2")


def test_deleting_what_does_not_exist_is_no_error(bucket: Bucket) -> None:
    bucket.put("a", b"1")
    for _ in range(2):
        bucket.delete("a")
        bucket.delete_all(["a", "b"])
    bucket.delete_all([])
    assert bucket.page("").objects == ()


def test_a_deletion_that_s3_refused_is_an_error(bucket: Bucket, s3: Any) -> None:
    refused = "<Key>b</Key><Code>AccessDenied</Code><Message>no</Message>"
    answer_with(s3, "DeleteObjects", f"<DeleteResult><Error>{refused}</Error></DeleteResult>")
    with pytest.raises(BadDependency, match=f"s3://{bucket.name}/b: .*AccessDenied"):
        bucket.delete_all(["a", "b"])


def test_pages_contain_every_object_once(bucket: Bucket) -> None:
    keys = [f"p/{number}" for number in range(5)]
    for key in ["a", *keys, "q"]:
        bucket.put(key, key.encode())
    first = bucket.page("p/", limit=3)
    second = bucket.page("p/", limit=3, after=first.objects[-1].key)
    assert [one.key for one in (*first.objects, *second.objects)] == keys
    assert (first.has_more, second.has_more) == (True, False)
    assert first.objects[0].size == 3
    assert abs(datetime.now(UTC) - first.objects[0].modified) < timedelta(hours=1)


def test_objects_continue_over_pages(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [f"p/{number}" for number in range(5)]
    for key in keys:
        bucket.put(key, b"")
    page = bucket.page
    monkeypatch.setattr(bucket, "page", lambda prefix, after: page(prefix, limit=2, after=after))
    assert [one.key for one in bucket.objects("p/")] == keys
    assert list(bucket.objects("nothing/")) == []


def test_a_bucket_that_does_not_exist_is_named(s3: Any, bucket: Bucket) -> None:
    bucket.check()
    missing = Bucket("no-such-bucket-here", lambda: s3)
    with pytest.raises(BadDependency, match="no-such-bucket-here"):
        missing.check()
    with pytest.raises(BadDependency, match="no-such-bucket-here"):
        missing.get("a")


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("GetObject", lambda bucket: bucket.get("a")),
        ("PutObject", lambda bucket: bucket.put("a", b"")),
        ("PutObject", lambda bucket: bucket.put_if_absent("a", b"")),
        ("DeleteObject", lambda bucket: bucket.delete("a")),
        ("DeleteObjects", lambda bucket: bucket.delete_all(["a"])),
        ("ListObjectsV2", lambda bucket: bucket.page("")),
    ],
)
def test_errors_of_s3_are_translated_and_name_the_object(
    operation: str, call: Callable[[Bucket], Any], bucket: Bucket, s3: Any
) -> None:
    answered = fail_with(s3, operation, "SlowDown", times=2)
    with pytest.raises(Unavailable, match=f"s3://{bucket.name}"):
        call(bucket)
    assert len(answered) == 2
    fail_with(s3, operation, "AccessDenied")
    with pytest.raises(BadDependency, match="AccessDenied"):
        call(bucket)
