"""Measures what the `s3` engine needs by size: memory, cold load, queries and writes with merges.

./pants run backend/benchmarks:scaling -- --passages 20000

Prints one row of the table in docs/scaling.md. The store is the service's own, in a process of its
own with one thread for numpy, as on Lambda; S3 is an embedded one in another process.
"""

import argparse
import multiprocessing
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

_MIB: Final = 2**20
_DIMENSIONS: Final = 1024
# A passage of the runner has about this length; a document of its size has ten.
_TEXT: Final = "An emergency fund covers three to six months of expenses. " * 17
_PASSAGES_A_DOCUMENT: Final = 10
_DOCUMENTS_A_PUT: Final = 50
_BUCKET: Final = "vectors-scaling"
_QUERIES: Final = 25
_PUTS: Final = 40


@dataclass(frozen=True)
class Figures:
    """Memory in MiB, times in seconds; `query` and `put` are medians of CPU time."""

    passages: int
    stored: float
    base: float
    loaded: float
    peak: float
    load: float
    query: float
    put: float
    slowest_put: float
    segments: int

    def row(self) -> str:
        """Return the figures as a row of a Markdown table."""
        return (
            f"| {self.passages:,} | {self.stored:.0f} | {self.base:.0f} | {self.loaded:.0f} | "
            f"{self.peak:.0f} | {self.load:.1f} | {self.query * 1000:.1f} | "
            f"{self.put * 1000:.0f} | {self.slowest_put * 1000:.0f} | {self.segments} |"
        )


def main() -> None:
    """Fill a store, measure it, and print the row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=20_000)
    passages = parser.parse_args().passages
    # The default of a function of 512 MB, or what the passages take and a quarter more.
    capacity = max(192 * _MIB, passages * (_DIMENSIONS * 4 + len(_TEXT) + 64) * 5 // 4)
    # Before numpy is imported, here and in the processes.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with _process(_serve) as server:
        os.environ.update(server.recv())
        with _process(_fill, passages, capacity) as filler:
            filler.recv()
        with _process(_measure, capacity) as subject:
            print(subject.recv().row())


@contextmanager
def _process(target: Any, *arguments: Any) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=target, args=(theirs, *arguments))
    process.start()
    theirs.close()  # so that `recv` ends if the process does
    try:
        yield ours
        ours.send(None)
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _serve(pipe: Connection) -> None:
    from local.aws.server import TEST_CREDENTIALS, boto3_client
    from s3vector.tests.cloud import REGION, Cloud

    cloud = Cloud()
    with cloud.running():
        client = boto3_client("s3", endpoint_url=cloud.endpoint_url, region=REGION)
        client.create_bucket(Bucket=_BUCKET)
        pipe.send({**TEST_CREDENTIALS, "AWS_ENDPOINT_URL": cloud.endpoint_url})
        pipe.recv()


def _store(capacity: int) -> Any:
    """Return the store as the service makes it, with everything else that the service imports."""
    from s3vector.allocator import return_large_blocks
    from s3vector.app import create_app
    from s3vector.settings import Settings

    return_large_blocks()  # as the function does
    settings = Settings(
        project_name="fin-advisor",
        environment="test",
        service_name="s3vector",
        log_level="ERROR",
        api_gateway_url="http://127.0.0.1:9/test",
        vector_bucket_name=_BUCKET,
        embedding_dimensions=_DIMENSIONS,
        max_store_bytes=capacity,
        enable_service_api_keys=False,
        enable_tracing=False,
    )
    return create_app(settings).state.store


def _documents(rng: Any, first: int, count: int) -> list[Any]:
    from array import array

    from s3vector.store import Document, DocumentRecord, Passage

    return [
        Document(
            DocumentRecord(
                id=f"d{number}",
                title=f"Document {number}",
                metadata={"year": 2000 + number % 26, "kind": "filing"},
                version="v1",
                updated_at="2026-01-01T00:00:00.000Z",
                passages=_PASSAGES_A_DOCUMENT,
            ),
            tuple(
                Passage(f"{number} {_TEXT}", array("f", vector.tobytes()))
                for vector in rng.standard_normal((_PASSAGES_A_DOCUMENT, _DIMENSIONS)).astype("f4")
            ),
        )
        for number in range(first, first + count)
    ]


def _fill(pipe: Connection, passages: int, capacity: int) -> None:
    import numpy as np

    store, rng = _store(capacity), np.random.default_rng(1)
    documents = passages // _PASSAGES_A_DOCUMENT
    for first in range(0, documents, _DOCUMENTS_A_PUT):
        store.put(_documents(rng, first, min(_DOCUMENTS_A_PUT, documents - first)))
    pipe.send(None)


def _measure(pipe: Connection, capacity: int) -> None:
    import numpy as np

    rng = np.random.default_rng(2)
    store = _store(capacity)
    store.check()  # makes the client
    vectors = rng.standard_normal((_QUERIES + 1, _DIMENSIONS)).tolist()
    base = _resident()
    began = time.monotonic()
    store.query(vectors[0], 10, None)
    load = time.monotonic() - began
    loaded = _resident()
    queries = [_cpu(lambda one=one: store.query(one, 10, None)) for one in vectors[1:]]
    puts = [
        _cpu(lambda number=number: store.put(_documents(rng, number, 1)))
        for number in range(10**6, 10**6 + _PUTS)
    ]
    stats = store.stats()
    pipe.send(
        Figures(
            passages=stats.passages,
            stored=stats.stored_bytes / _MIB,
            base=base,
            loaded=loaded,
            peak=_peak(),
            load=load,
            query=statistics.median(queries),
            put=statistics.median(puts),
            slowest_put=max(puts),
            segments=stats.segments,
        )
    )


def _cpu(call: Any) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _resident() -> float:
    """Return the process's memory in MiB, at its peak so far where the system says no more."""
    if sys.platform != "linux":
        return _peak()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MIB


def _peak() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MIB


if __name__ == "__main__":
    main()
