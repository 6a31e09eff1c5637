"""The bodies of the console's API; the page's types are generated from its OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Level = Literal["debug", "info", "warning", "error", "critical"]
ProcessState = Literal["up", "starting", "idle", "stopped", "down"]
Question = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True)


class Process(_Body):
    """A service and its processes."""

    service: str
    kind: Literal["function", "container", "task"]
    state: ProcessState
    processes: Annotated[int, Field(description="How many processes run.")]
    memory_mb: Annotated[float, Field(description="Resident memory of all of them.")]
    memory_limit_mb: int | None
    cold_starts: int
    restarts: Annotated[int, Field(description="Replaced after a crash or a change of code.")]


class Key(_Body):
    """An API key and its quota."""

    name: str
    used: int
    limit: int | None
    period: Literal["DAY", "WEEK", "MONTH"]


class Flow(_Body):
    """Requests of one caller to one part of the estate within the last minute."""

    caller: str
    target: str
    requests: int
    errors: int
    median_ms: float
    slowest_ms: float


class FaultState(_Body):
    """The faults that are ordered, and what can be ordered."""

    ordered: list[str]
    targets: list[str]


class Estate(_Body):
    """The state of the estate."""

    project: str
    environment: str
    gateway_url: str
    processes: list[Process]
    keys: list[Key]
    flows: list[Flow]
    faults: FaultState
    is_stand_in: Annotated[bool, Field(description="Answers come from the local stand-in.")]


class LogLine(_Body):
    """A line of a service's output. `text` is the line itself."""

    number: Annotated[int, Field(description="Counts the lines of all services.")]
    service: str
    level: Level
    event: str
    time: Annotated[float, Field(description="Epoch seconds.")]
    trace_id: str | None
    span_id: str | None
    text: str


class LogPage(_Body):
    """Log lines, newest first. `before` finds older ones; null if there are none."""

    lines: list[LogLine]
    before: int | None


class TraceSummary(_Body):
    """A trace in a list."""

    trace_id: str
    name: str
    started_at: Annotated[float, Field(description="Epoch seconds.")]
    duration_ms: float
    spans: int
    errors: int
    status: Annotated[int | None, Field(description="The HTTP status of the first request.")]
    services: list[str]


class TracePage(_Body):
    """One page of traces, newest first. `cursor` finds the next page; null on the last."""

    traces: list[TraceSummary]
    total: Annotated[int, Field(description="The traces on all pages.")]
    cursor: str | None


class SpanEvent(_Body):
    """Something that happened within a span."""

    name: str
    time_ns: int
    attributes: dict[str, Any] = {}


class TraceSpan(_Body):
    """A span of a trace; times are milliseconds after the trace's start."""

    span_id: str
    parent_id: str
    service: str
    name: str
    kind: str
    start_ms: float
    duration_ms: float
    status: str
    attributes: dict[str, Any]
    events: list[SpanEvent]
    scope: str


class Trace(_Body):
    """A trace with its log lines, both by time."""

    trace_id: str
    xray_trace_id: str
    started_at: float
    duration_ms: float
    spans: list[TraceSpan]
    lines: list[LogLine]


class Ask(_Body):
    """A question."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    question: Question
    conversation_id: Annotated[str, StringConstraints(max_length=128)] | None = None


class Search(_Body):
    """Words to find passages for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Question
    mode: Annotated[
        Literal["dense", "lexical", "hybrid"] | None,
        Field(description="null is the mode of the deployment."),
    ] = None
    top_k: Annotated[int, Field(ge=1, le=100)] = 10


class Scores(_Body):
    """The scores of a passage; null where the store does not report one."""

    dense: float | None = None
    lexical: float | None = None
    fused: float | None = None


class FoundPassage(_Body):
    """A passage that was found."""

    document_id: str
    passage_id: str
    title: str | None = None
    text: str
    scores: Scores
    page: int | None = None
    heading: str | None = None


class Found(_Body):
    """Passages, best first."""

    passages: list[FoundPassage]
    trace_id: str


class Document(_Body):
    """A stored document without its text."""

    id: str
    title: str | None = None
    passages: int
    updated_at: str
    metadata: dict[str, Any] = {}


class DocumentPage(_Body):
    """One page of documents. `cursor` finds the next page; null on the last."""

    documents: list[Document]
    cursor: str | None = None


class Passage(_Body):
    """A passage of a document."""

    passage_id: str
    text: str
    page: int | None = None
    heading: str | None = None


class DocumentText(Document):
    """A document and its passages, in the order of the text."""

    contents: list[Passage]


class SampleState(_Body):
    """The sample documents. `is_store_empty` is null if the store does not answer."""

    count: int
    is_store_empty: bool | None


class FileProblem(_Body):
    """Why a file, or some of its pages, was not ingested."""

    detail: str
    pages: Annotated[list[tuple[int, int]], Field(description="First and last page.")] = []


class Upload(_Body):
    """A file that is being ingested."""

    id: str
    name: str
    size_bytes: int
    state: Literal["waiting", "running", "succeeded", "partial", "failed"]
    pages: Annotated[int, Field(description="Pages that are stored so far.")] = 0
    problems: list[FileProblem] = []


class Health(_Body):
    """What a service's health check answered through the gateway."""

    service: str
    healthy: bool
    status: int | None
    duration_ms: float


class FaultOrder(_Body):
    """A fault, as `--fault` takes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fault: Annotated[str, StringConstraints(min_length=3, max_length=200)]


class Problem(_Body):
    """Why a request failed."""

    error: str
    detail: str
