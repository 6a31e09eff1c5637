"""Measures the `s3` store: writers, queries beside one numpy product, and loading.

./pants run backend/benchmarks:search -- writers --seconds 10
./pants run backend/benchmarks:search -- queries --passages 100000
./pants run backend/benchmarks:search -- loading --passages 30000
"""

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import numpy as np

from local.aws.server import boto3_client
from s3vector.allocator import return_large_blocks
from s3vector.filters import parse_filter
from s3vector.manifest import Manifest
from s3vector.pool import Pool
from s3vector.s3_store import SEGMENTS, S3VectorStore
from s3vector.segments import Segment, decode_segment, encode_segment
from s3vector.snapshot import Snapshot
from s3vector.store import Document
from s3vector.tests.cloud import REGION, Cloud
from s3vector.tests.fakes import document
from shared.aws.bucket import Bucket
from shared.errors import ServiceError

_DIMENSIONS: Final = 1024
_WRITERS: Final = 16
_LATENCY_MS: Final = 30  # of one request to S3, from a function in the same region
_PASSAGES_A_PUT: Final = 1000
# `scaling` finds as many in a store of 100,400 passages that puts have filled.
_SEGMENTS: Final = 30
_ROUNDS: Final = 11
_WORDS_OF_A_PASSAGE: Final = 200
_WORDS_OF_A_QUESTION: Final = 12
# Words are as frequent as in a language: the n-th most frequent a n-th as often as the first.
_VOCABULARY: Final = 50_000


def main() -> None:
    """Run one of the measurements and print its ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite", choices=("writers", "queries", "loading"))
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--passages", type=int, default=100_000)
    options = parser.parse_args()
    if options.suite == "writers":
        for latency_ms in (0, _LATENCY_MS):
            measure_writers(options.seconds, latency_ms)
    elif options.suite == "queries":
        measure_queries(options.passages)
    else:
        measure_loading(options.passages)


def measure_writers(seconds: float, latency_ms: int) -> None:
    """Count acknowledged puts of one process, and of several with one request each.

    Each request waits for `latency_ms` before the server, which has one processor, serves it.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs, latency_ms / 1000))
    server.start()
    try:
        endpoint = ours.recv()
        print(f"S3 answers after {latency_ms} ms:")
        rates = [_rate(endpoint, count, seconds) for count in (1, _WRITERS)]
        print(f"{_WRITERS} writers / 1: {rates[1] / rates[0]:.2f}, target 1.00")
    finally:
        ours.send(None)
        server.join(10)


def _rate(endpoint: str, count: int, seconds: float) -> float:
    bucket = f"vectors-{uuid4().hex}"
    _client(endpoint).create_bucket(Bucket=bucket)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(count + 1), context.Queue()
    processes = [
        context.Process(target=_write, args=(endpoint, bucket, one, barrier, seconds, results))
        for one in range(count)
    ]
    for process in processes:
        process.start()
    barrier.wait()
    began = time.monotonic()
    outcomes = [results.get() for _ in processes]
    elapsed = time.monotonic() - began
    for process in processes:
        process.join()
    acknowledged: int = sum(one[0] for one in outcomes)
    stats = _store(endpoint, bucket).stats()
    print(
        f"{count} writers: {acknowledged / elapsed:.1f} puts/s, slowest "
        f"{max(one[2] for one in outcomes):.1f} s, refused {sum(one[1] for one in outcomes)}; "
        f"acknowledged {acknowledged}, stored {stats.documents}, segments {stats.segments}"
    )
    rate: float = acknowledged / elapsed
    return rate


def _write(  # noqa: PLR0917 - the arguments of a process
    endpoint: str,
    bucket: str,
    number: int,
    barrier: Barrier,
    seconds: float,
    results: "Queue[tuple[int, int, float]]",
) -> None:
    store = _store(endpoint, bucket)
    store.get(["warm"])
    barrier.wait()
    end = time.monotonic() + seconds
    acknowledged, refused, slowest = 0, 0, 0.0
    while (began := time.monotonic()) < end:
        document_id = f"w{number}-{acknowledged}"
        try:
            store.get([document_id])  # as the service does, to find out what changed
            store.put([document(document_id, "some text", vectors=[[1.0] * _DIMENSIONS])])
            acknowledged += 1
        except ServiceError:
            refused += 1
        slowest = max(slowest, time.monotonic() - began)
    results.put((acknowledged, refused, slowest))


def _serve(pipe: Connection, latency_seconds: float = 0.0) -> None:
    cloud = Cloud(latency_seconds=latency_seconds)
    with cloud.running():
        pipe.send(cloud.endpoint_url)
        pipe.recv()


def _client(endpoint: str) -> Any:
    return boto3_client("s3", endpoint_url=endpoint, region=REGION)


def _store(endpoint: str, bucket: str) -> S3VectorStore:
    client = _client(endpoint)
    return S3VectorStore(
        Bucket(bucket, lambda: client),
        space=f"benchmark/{_DIMENSIONS}",
        dimensions=_DIMENSIONS,
        capacity_bytes=2**30,
        pool=Pool(4),
    )


def measure_queries(passages: int) -> None:
    """Compare a query with one numpy product, with hybrid ones and with new filters.

    numpy asks the system for pages of 2 MiB for its own arrays, in which a product is faster; bytes
    that were read are in pages of 4 KiB. So there is a product over such bytes, too.
    """
    rng, size = np.random.default_rng(1), -(-passages // _SEGMENTS)
    segments = [
        _segment(rng, start, min(size, passages - start)) for start in range(0, passages, size)
    ]
    snapshot = Snapshot(Manifest("benchmark", _DIMENSIONS, "2026-01-01"), segments)
    matrix = np.concatenate([one.matrix for one in segments])
    read = np.frombuffer(matrix.tobytes(), dtype=np.float32).reshape(matrix.shape)
    query = rng.standard_normal(_DIMENSIONS)
    unit = (query / np.linalg.norm(query)).astype(np.float32)

    def bare(vectors: Any) -> None:
        scores = vectors @ unit
        np.argpartition(scores, -10)[-10:]

    turn = iter(range(1_000_000))
    products: dict[str, Callable[[], object]] = {
        "one numpy product": lambda: bare(matrix),
        "one numpy product over bytes that were read": lambda: bare(read),
    }
    calls: dict[str, Callable[[], object]] = {
        **products,
        "query": lambda: snapshot.search(query.tolist(), 10, None),
        "hybrid query": lambda: snapshot.search(
            query.tolist(), 10, None, words=_text(rng, _WORDS_OF_A_QUESTION)
        ),
        "filter, 1 % match": lambda: _filtered(snapshot, query, {"number": next(turn) % 100}),
        "filter, half match": lambda: _filtered(
            snapshot, query, {"number": {"$lt": 50 + next(turn) % 3}}
        ),
        "filter, none match": lambda: _filtered(snapshot, query, {"number": f"none{next(turn)}"}),
        "first filter on a key": lambda: _filtered(snapshot, query, {f"key{next(turn) % 20}": 1}),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            began = time.process_time()
            call()
            times[name].append((time.process_time() - began) * 1000)
    medians = {name: statistics.median(one) for name, one in times.items()}
    for name in (*products, "query"):
        print(f"{name}: {medians[name]:.1f} ms of CPU")
    plain = medians.pop("query")
    print("| | ratio | target |\n|---|---|---|")
    for name in products:
        print(f"| query / {name} | {plain / medians.pop(name):.2f} | 1.15 |")
    for name, median in medians.items():
        print(f"| {name} / query | {median / plain:.2f} | 1.5 |")
    _measure_put(snapshot, segments, rng, query.tolist())


def measure_loading(passages: int) -> None:
    """Compare a cold start of the store with a download of the same bytes, and its memory with
    that of vectors, texts and postings.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs,))
    server.start()
    try:
        endpoint, bucket = ours.recv(), f"vectors-{uuid4().hex}"
        _client(endpoint).create_bucket(Bucket=bucket)
        rng, store = np.random.default_rng(1), _store(endpoint, bucket)
        for start in range(0, passages, _PASSAGES_A_PUT):
            store.put(_documents(rng, start, min(_PASSAGES_A_PUT, passages - start)))
        with context.Pool(1, maxtasksperchild=1) as fresh:  # each call in a process of its own
            rounds = [
                [fresh.apply(one, (endpoint, bucket)) for one in (_download, _load)]
                for _ in range(_ROUNDS)
            ]
        bare = statistics.median(one[0] for one, _ in rounds)
        load, dense, hybrid = (
            statistics.median(one[place] for _, one in rounds) for place in range(3)
        )
        _, (*_, used, raw) = rounds[-1]
        print(f"download: {bare:.2f} s; cold load: {load:.2f} s")
        print(f"then the first dense query: {dense:.2f} s, hybrid query: {hybrid:.2f} s")
        print("| | ratio | target |\n|---|---|---|")
        print(f"| cold load / download of the same bytes | {load / bare:.2f} | 1.5 |")
        print(
            f"| memory of the process / vectors, texts and postings ({raw / 2**20:.0f} MiB) "
            f"| {used / raw:.2f} | 1.10 |"
        )
    finally:
        ours.send(None)
        server.join(10)


def _download(endpoint: str, bucket_name: str) -> tuple[float]:
    """Return the seconds of a download of all segments."""
    client = _client(endpoint)
    bucket = Bucket(bucket_name, lambda: client)
    keys = [one.key for one in bucket.page(SEGMENTS).objects]
    began = time.monotonic()
    Pool(4).map(lambda key: bucket.get(key) and None, keys)
    return (time.monotonic() - began,)


def _load(endpoint: str, bucket: str) -> tuple[float, float, float, int, int]:
    """Return the seconds of a cold start and of the first dense and hybrid query after it, the
    memory that all took, and the bytes of vectors, texts and postings.
    """
    return_large_blocks()  # as the function does
    store, query = _store(endpoint, bucket), [1.0] * _DIMENSIONS
    store.check()  # opens a connection, as the download's listing did
    before = _resident_bytes()
    began = time.monotonic()
    snapshot = store._refresh()
    loaded = time.monotonic()
    store.query(query, 10, None)
    dense = time.monotonic()
    store.query(query, 10, None, words="word1 word2")
    hybrid = time.monotonic()
    used = _resident_bytes() - before
    raw = sum(one.matrix.nbytes + one.postings.nbytes for one in snapshot.segments)
    raw += sum(
        len(passage.text.encode())
        for segment in snapshot.segments
        for one in segment.documents
        for passage in segment.document(one, vectors=False).passages
    )
    return loaded - began, dense - loaded, hybrid - dense, used, raw


def _resident_bytes() -> int:
    """Return the memory of this process. Linux only."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _measure_put(
    snapshot: Snapshot, segments: Sequence[Segment], rng: np.random.Generator, query: list[float]
) -> None:
    """Measure a state after a put of one document, and its first query."""
    added = _segment(rng, 10**9, 1)
    began = time.process_time()
    after = Snapshot(snapshot.manifest, [*segments, added], previous=snapshot)
    made = (time.process_time() - began) * 1000
    after.search(query, 10, None)
    whole = (time.process_time() - began) * 1000
    print(f"after a put: {made:.1f} ms of CPU for the state, {whole:.1f} with its first query")


def _filtered(snapshot: Snapshot, query: Any, where: dict[str, Any]) -> object:
    return snapshot.search(query.tolist(), 10, parse_filter(where))


def _text(rng: np.random.Generator, words: int) -> str:
    numbers = np.exp(rng.random(words) * np.log(_VOCABULARY)).astype(int)
    return " ".join(f"word{number}" for number in numbers)


def _segment(rng: np.random.Generator, start: int, count: int) -> Segment:
    documents = _documents(rng, start, count, keys=20)
    data = encode_segment(documents, (), dimensions=_DIMENSIONS)
    return decode_segment(f"s{start}", data, checksum=sha256(data).hexdigest())


def _documents(
    rng: np.random.Generator, start: int, count: int, *, keys: int = 0
) -> list[Document]:
    return [
        document(
            f"d{number}",
            _text(rng, _WORDS_OF_A_PASSAGE),
            vectors=[vector],
            metadata={"number": number % 100, **{f"key{key}": 1 for key in range(keys)}},
        )
        for number, vector in enumerate(rng.standard_normal((count, _DIMENSIONS)), start)
    ]


if __name__ == "__main__":
    main()
