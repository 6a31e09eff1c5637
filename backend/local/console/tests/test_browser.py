"""The console in a browser, over a running estate."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from playwright.sync_api import Browser, Route, expect

from local.conftest import RunningUp, start_up, stop_up
from local.console.tests.browser import PICTURES, PROGRAMS, WAIT_MS, ConsolePage, launched, program
from local.demo.documents import QUESTION, documents
from local.traces.spans import KINDS, Span

VIEWS = ("ask", "documents", "estate", "traces", "logs")
EMERGENCY = "How large should an emergency fund be?"
TRACES = 10_000
SPANS = 200
BATCH = 1_000
STATUSES = ("UNSET", "OK", "ERROR")

expect.set_options(timeout=WAIT_MS)
pytestmark = pytest.mark.skipif(program() is None, reason=f"needs {' or '.join(PROGRAMS)}")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningUp]:
    started = start_up(tmp_path_factory.mktemp("console"))
    yield started
    assert stop_up(started) == 0


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = program()
    assert path is not None
    with launched(path, tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture
def console(browser: Browser, running: RunningUp) -> Iterator[ConsolePage]:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    opened = ConsolePage(page, running.variables["CONSOLE_URL"])
    yield opened
    page.close()
    assert opened.problems == []


@pytest.fixture(scope="module")
def loaded(running: RunningUp) -> None:
    """The sample documents are stored."""
    answer = httpx.post(
        f"{running.url}/api/documents",
        json={"documents": documents()},
        headers=running.ingest_headers,
        timeout=60,
    )
    assert answer.status_code == 200


@pytest.fixture(scope="module")
def many(running: RunningUp) -> float:
    """As many traces as `TRACES`, and one of `SPANS` spans; their time in seconds."""
    now = time.time()
    for first in range(0, TRACES, BATCH):
        _export(running, [_span(number, 0, now) for number in range(first, first + BATCH)])
    _export(running, [_span(TRACES, number, now + 1) for number in range(SPANS)])
    return now


def _span(trace: int, number: int, now: float) -> Span:
    start = int(now * 1e9) + trace * 1_000 + number * 2_000_000
    return Span(
        trace_id=f"{trace + 1:032x}",
        span_id=f"{number + 1:016x}",
        parent_id=f"{(number + 1) // 2:016x}" if number else "",
        service="gateway",
        name=f"POST /dev/many/{trace}" if number == 0 else f"step {number}",
        kind="SERVER",
        start_ns=start,
        end_ns=start + (SPANS - number) * 2_000_000,
        attributes={"http.response.status_code": 502 if trace % 2 else 200},
    )


def _export(running: RunningUp, spans: list[Span]) -> None:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    attribute = group.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", spans[0].service
    scope = group.scope_spans.add()
    for one in spans:
        sent = scope.spans.add(
            trace_id=bytes.fromhex(one.trace_id),
            span_id=bytes.fromhex(one.span_id),
            parent_span_id=bytes.fromhex(one.parent_id),
            name=one.name,
            kind=KINDS.index(one.kind),
            start_time_unix_nano=one.start_ns,
            end_time_unix_nano=one.end_ns,
        )
        sent.status.code = STATUSES.index(one.status)
        for name, value in one.attributes.items():
            code = sent.attributes.add()
            code.key, code.value.int_value = name, value
    answer = httpx.post(
        f"{running.variables['OTLP_ENDPOINT']}/v1/traces",
        content=request.SerializeToString(),
        headers={"content-type": "application/x-protobuf"},
        timeout=60,
    )
    assert answer.status_code == 200


def test_an_empty_estate_says_what_to_do(console: ConsolePage) -> None:
    for view, text in (
        ("documents", "No document is stored"),
        ("traces", "No trace matches"),
        ("ask", "No document is stored yet"),
    ):
        console.open(view)
        expect(console.page.get_by_text(text)).to_be_visible()
    example = console.page.get_by_role("button", name=EMERGENCY)
    expect(example).to_have_count(0)
    assert console.serious_problems() == []
    console.page.get_by_role("button", name="Load the sample documents").click()
    stored = f"{len(documents())} of {len(documents())} sample documents stored"
    expect(console.page.get_by_role("status").filter(has_text=stored)).to_be_visible()
    example.click()
    expect(console.page.locator(".turn .marker").first).to_be_visible()
    console.open("estate")
    expect(console.page.get_by_role("row", name="chat up")).to_be_visible()
    console.open("logs")
    expect(console.page.get_by_role("heading", name="Logs")).to_be_visible()


@pytest.mark.usefixtures("loaded")
def test_a_citation_opens_the_passage_at_the_quote(console: ConsolePage) -> None:
    console.open("ask")
    turn = console.ask(EMERGENCY)
    expect(turn.get_by_text("answered", exact=True)).to_be_visible()
    expect(turn.locator(".disclosure")).to_be_visible()
    expect(console.page.get_by_text("The local stand-in answers here")).to_be_visible()
    turn.locator(".marker").first.click()
    expect(console.page.locator("mark")).to_have_text(
        "A common size for an emergency fund is three to six months of essential expenses."
    )
    assert console.serious_problems() == []
    console.picture("ask")
    console.page.keyboard.press("Escape")
    expect(console.page.locator("mark")).to_have_count(0)
    expect(turn.locator(".marker").first).to_be_focused()
    console.page.reload()
    expect(console.page.get_by_role("heading", name=EMERGENCY)).to_be_visible()


@pytest.mark.usefixtures("loaded")
def test_an_answer_leads_to_its_trace_its_log_lines_and_back(console: ConsolePage) -> None:
    console.open("ask")
    console.ask(EMERGENCY).get_by_role("link", name="Show the trace").click()
    spans = console.page.get_by_role("list", name="Spans").get_by_role("button")
    expect(spans.filter(has_text="chat POST /messages")).to_have_count(1)
    spans.filter(has_text="chat POST /messages").click()
    panel = console.page.get_by_label("Span", exact=True)
    expect(panel.locator(".event", has_text="request_completed")).to_be_visible()
    expect(panel.get_by_text("http.route")).to_be_visible()
    assert console.serious_problems() == []
    console.picture("trace")
    panel.get_by_role("button", name="Close the span").focus()
    console.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(spans.filter(has_text="chat POST /messages")).to_be_focused()
    calls = re.compile(r"api POST /dev/chat/messages\S* at 127\.0\.0\.1:\d+")
    expect(spans.filter(has_text=calls)).to_have_count(1)
    console.page.get_by_role("link", name="log line").click()
    console.page.get_by_role("link", name="Trace of request_completed").first.click()
    console.page.get_by_role("link", name="Show the answer").click()
    expect(console.page.locator(".turn.wanted")).to_be_visible()
    console.page.get_by_role("link", name="Traces").click()
    expect(console.page.get_by_role("link", name="POST /dev/api/ask").first).to_be_visible()
    console.picture("traces")


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("question", "status", "boundary"),
    [
        (QUESTION, "partial", ["Boundary: recommendation"]),
        ("I want to end my life because of my debts", "refused", ["Boundary: distress"]),
        ("Which colour has the sky above the planet Mars?", "unknown", []),
    ],
)
def test_the_status_and_the_boundary_of_an_answer_are_shown(
    console: ConsolePage, question: str, status: str, boundary: list[str]
) -> None:
    console.open("ask")
    turn = console.ask(question)
    expect(turn.get_by_text(status, exact=True)).to_be_visible()
    expect(turn.get_by_text("Boundary: ")).to_contain_text(boundary)
    # The model is not asked to refuse, so no AI system wrote the refusal.
    expect(turn.locator(".disclosure")).to_have_count(int(status != "refused"))


REMOVED = {"sentence": "Fees are 12 per cent.", "reason": "number_not_in_source"}
DONE = {
    "answer": "Fees are low.",
    "status": "partial",
    "citations": [],
    "removed": [REMOVED],
    "disclosure": "An AI system wrote this.",
    "boundary": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
    "model_id": "m",
    "conversation_id": "c",
}


def _answered(*events: tuple[str, Any]) -> Any:
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=text)

    return answer


def test_removed_sentences_are_shown_with_the_reason(console: ConsolePage) -> None:
    unit = {"text": "Fees are low."}
    answer = _answered(("unit", unit), ("removed", REMOVED), ("done", DONE))
    console.page.route("**/console/api/ask", answer)
    console.open("ask")
    turn = console.ask("What are the fees?")
    expect(turn.get_by_text("1 sentence was removed")).to_be_visible()
    expect(turn.get_by_text("a figure is not in the cited passage")).to_be_visible()
    assert console.serious_problems() == []


def test_an_answer_that_breaks_off_is_not_shown_as_whole(console: ConsolePage) -> None:
    console.page.route("**/console/api/ask", _answered(("unit", {"text": "Fees are"})))
    console.open("ask")
    turn = console.ask("What are the fees?")
    expect(turn.get_by_role("alert")).to_have_text("The answer broke off. Ask again.")


# The test sends the events of an answer one by one.
SLOW_ANSWER = """
const usual = window.fetch;
window.fetch = (url, init) => String(url).endsWith("/ask")
  ? Promise.resolve(new Response(new ReadableStream({ start(to) { window.answer = to; } })))
  : usual(url, init);
window.say = (name, data) => answer.enqueue(
  new TextEncoder().encode(`event: ${name}\\ndata: ${JSON.stringify(data)}\\n\\n`));
window.end = () => { answer.close(); window.answer = undefined; };
"""
NEWEST_IS_IN_VIEW = """() => {
  const card = [...document.querySelectorAll(".turn")].at(-1).getBoundingClientRect();
  const box = document.querySelector(".question").getBoundingClientRect();
  return card.top >= 0 && card.bottom <= box.top + 1;
}"""
AFTER_TWO_FRAMES = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY))))"""


def test_a_new_answer_is_in_view_until_the_reader_scrolls_up(console: ConsolePage) -> None:
    page, unit = console.page, {"text": "Fees are low. " * 30}
    page.add_init_script(SLOW_ANSWER)
    console.open("ask")
    turns = page.locator(".turn")

    def ask() -> None:
        page.get_by_label("Question").fill("What are the fees?")
        page.keyboard.press("Enter")
        page.wait_for_function("() => window.answer")

    for number in range(4):
        ask()
        page.wait_for_function(NEWEST_IS_IN_VIEW)
        page.evaluate("(unit) => say('unit', unit)", unit)
        expect(turns.nth(number)).to_contain_text("Fees are low.")
        page.wait_for_function(NEWEST_IS_IN_VIEW)
        page.evaluate("(done) => { say('done', done); end(); }", DONE | {"answer": unit["text"]})
        expect(turns.nth(number).locator(".badge")).to_be_visible()
        page.wait_for_function(NEWEST_IS_IN_VIEW)
    ask()
    page.mouse.move(640, 200)
    page.mouse.wheel(0, -5_000)
    page.wait_for_function("() => scrollY === 0")
    page.evaluate("(unit) => say('unit', unit)", unit)
    expect(turns.last).to_contain_text("Fees are low.")
    assert page.evaluate(AFTER_TWO_FRAMES) == 0


@pytest.mark.usefixtures("loaded")
def test_a_file_is_ingested_found_and_deleted(console: ConsolePage, tmp_path: Path) -> None:
    folder = tmp_path / "bonds"
    folder.mkdir()
    note, other = folder / "zephyr.md", folder / "tool.exe"
    note.write_text("# Zephyr bonds\n\nA zephyr bond pays seven per cent of quagga interest.\n")
    other.write_text("x")
    console.open("documents")
    page = console.page
    # A file of a folder has the same name, and so the same id, as one that is chosen alone.
    page.get_by_label("Folder", exact=True).set_input_files(folder)
    expect(page.get_by_text("1 of 2 files were skipped")).to_be_visible()
    expect(page.get_by_role("list", name="Files").get_by_text("succeeded")).to_have_count(1)
    page.get_by_label("Files", exact=True).first.set_input_files([note, other])
    expect(page.get_by_role("list", name="Files").get_by_text("succeeded")).to_have_count(2)
    expect(page.get_by_text("Drop files or a folder here")).to_contain_text("PowerPoint (.pptx)")
    delete = page.get_by_role("button", name="Delete zephyr.md")
    expect(delete).to_be_visible()
    page.get_by_label("Words", exact=True).fill("quagga interest of a zephyr bond")
    page.get_by_label("Mode").select_option("both (hybrid)")
    page.get_by_role("button", name="Search").click()
    found = page.get_by_role("list", name="Passages found").get_by_role("listitem").first
    expect(found).to_contain_text("zephyr")
    expect(found).to_contain_text("dense")
    found.get_by_role("button").click()
    expect(page.get_by_label("Passage", exact=True)).to_contain_text("seven per cent")
    assert console.serious_problems() == []
    console.picture("documents")
    page.get_by_role("button", name="Close the passage").click()
    expect(found.get_by_role("button")).to_be_focused()
    page.on("dialog", lambda dialog: dialog.accept())
    delete.click()
    expect(delete).to_have_count(0)
    expect(page.get_by_role("heading", name="Stored documents")).to_be_focused()


@pytest.mark.usefixtures("loaded")
def test_an_outage_is_shown_and_ends(console: ConsolePage) -> None:
    console.open("estate")
    page = console.page
    page.get_by_role("button", name="stop chat").click()
    try:
        expect(page.get_by_role("status").get_by_text("chat is stopped")).to_be_visible()
        page.get_by_role("button", name="Check the health").click()
        expect(page.get_by_role("row", name="chat stopped").get_by_text("failed")).to_be_visible()
        page.get_by_role("link", name="Ask").click()
        expect(console.ask(EMERGENCY).get_by_role("alert")).to_be_visible()
    finally:
        console.open("estate")
        page.get_by_role("button", name="start chat", exact=True).click()
        expect(page.get_by_role("row", name="chat up")).to_be_visible()
    page.get_by_role("button", name="restart runner").click()
    expect(page.get_by_role("row", name="runner up")).to_be_visible()
    page.get_by_role("link", name="Ask").click()
    expect(console.ask(EMERGENCY).locator(".marker").first).to_be_visible()
    page.get_by_role("link", name="Estate").click()
    page.get_by_role("button", name="Check the health").click()
    expect(page.get_by_text("healthy,")).to_have_count(4)
    console.picture("estate")


@pytest.mark.usefixtures("loaded")
def test_a_fault_is_switched(console: ConsolePage) -> None:
    console.open("estate")
    page = console.page
    switch = page.get_by_role("switch", name="s3vector answers 503", exact=True)
    expect(switch).not_to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_be_checked()
    page.get_by_role("link", name="Ask").click()
    expect(page.get_by_text("A fault is switched on")).to_contain_text("s3vector:error=503")
    expect(console.ask(EMERGENCY).get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="Switch off on the Estate page").click()
    expect(page.get_by_role("list", name="Ordered faults")).to_contain_text("s3vector:error=503")
    switch.click()
    expect(switch).not_to_be_checked()


def test_log_lines_arrive_live_and_are_filtered(console: ConsolePage, running: RunningUp) -> None:
    console.open("logs")
    page = console.page
    page.get_by_label("Text").fill("/live-line")
    expect(page.get_by_text("No log line matches")).to_be_visible()
    httpx.get(f"{running.url}/api/live-line", headers=running.headers, timeout=30)
    line = page.locator(".lines li").filter(has_text="request_completed").first
    expect(line).to_contain_text("GET /live-line 404")
    line.locator("summary").click()
    expect(line.locator("pre")).to_contain_text('"status": 404')
    assert console.serious_problems() == []
    page.get_by_label("Service").select_option("chat")
    expect(page.get_by_text("No log line matches")).to_be_visible()
    page.get_by_label("Service").select_option("api")
    page.get_by_role("link", name="Trace of request_completed").first.click()
    expect(page.get_by_role("heading", name="GET /dev/api/live-line")).to_be_visible()


@pytest.mark.usefixtures("many")
def test_ten_thousand_traces_are_listed_page_by_page(console: ConsolePage) -> None:
    console.open("traces")
    page = console.page
    page.get_by_label("Route").fill("/dev/many/")
    rows = page.get_by_role("region", name="List of traces").get_by_role("row")
    expect(page.get_by_text(f"{TRACES + 1:,} traces, page 1")).to_be_visible()
    expect(rows).to_have_count(51)
    first = rows.nth(1).inner_text()
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_text("page 2")).to_be_visible()
    expect(rows.nth(1)).not_to_contain_text(first)
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_text(f"{TRACES // 2:,} traces, page 1")).to_be_visible()
    assert console.serious_problems() == []
    page.get_by_label("Status").select_option("")
    page.get_by_label("Route").fill(f"/dev/many/{TRACES}")
    expect(page.get_by_text("1 trace, page 1")).to_be_visible()
    page.get_by_role("link", name=f"/dev/many/{TRACES}").click()
    spans = page.get_by_role("list", name="Spans").get_by_role("button")
    expect(spans).to_have_count(SPANS)
    spans.first.focus()
    page.keyboard.press("ArrowDown")
    expect(spans.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Span", exact=True)).to_be_visible()


BROKEN = "e" * 32
BROKEN_SERVICES = ("gateway", "lambda", "api", "chat", "s3vector", "runner", "records")
# The colour of each bar with its contrast to the ground, as WCAG computes it.
COLOURS = """() => {
  const parsed = (text) => text.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const luminance = (rgb) => parsed(rgb)
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = luminance(getComputedStyle(document.body).backgroundColor);
  const bars = [...document.querySelectorAll(".waterfall rect")];
  return Object.fromEntries(bars.map((bar) => {
    const colour = getComputedStyle(bar).fill, own = luminance(colour);
    return [colour, (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05)];
  }));
}"""
WRAPPED = """() => [...document.querySelectorAll("td.time, td.number")]
  .flatMap((cell) => [...cell.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE))
  .filter((text) => {
    const range = document.createRange();
    range.selectNodeContents(text);
    return range.getClientRects().length > 1;
  })
  .map((text) => text.data)"""


def test_a_failure_after_the_status_is_named_and_services_differ_in_colour(
    console: ConsolePage, running: RunningUp
) -> None:
    start = time.time_ns()
    for number, service in enumerate(BROKEN_SERVICES):
        is_root, is_last = number == 0, service == BROKEN_SERVICES[-1]
        span = Span(
            trace_id=BROKEN,
            span_id=f"{number + 1:016x}",
            parent_id="" if is_root else f"{number:016x}",
            service=service,
            name="POST /dev/broken" if is_root else "work",
            kind="SERVER",
            start_ns=start,
            end_ns=start + 400_000_000,
            status="OK" if service == "api" else "ERROR" if is_last else "UNSET",
            attributes={"http.response.status_code": 200} if is_root else {},
        )
        _export(running, [span])
    console.open("traces")
    page = console.page
    page.get_by_label("Route").fill("/dev/broken")
    row = page.get_by_role("row", name="POST /dev/broken")
    expect(row.get_by_text("200, failed", exact=True)).to_be_visible()
    assert page.evaluate(WRAPPED) == []
    page.get_by_role("link", name="/dev/broken").click()
    expect(page.locator(".axis .times span")).to_have_text(["0 ms", "200 ms", "400 ms"])
    spans = page.get_by_role("list", name="Spans").get_by_role("button")
    expect(spans).to_have_count(len(BROKEN_SERVICES))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours = page.evaluate(COLOURS)
        assert len(colours) == len(BROKEN_SERVICES), colours
        assert min(colours.values()) >= 3, colours
    for service, badges in (("chat", []), ("api", ["ok"]), ("records", ["error"])):
        spans.filter(has_text=f"{service} work").click()
        panel = page.get_by_label("Span", exact=True)
        expect(panel.locator(".facts").get_by_text(service)).to_be_visible()
        expect(panel.locator(".facts .badge")).to_have_text(badges)


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (3840, "dark")])
def test_every_view_fits_and_has_no_serious_finding(
    console: ConsolePage, width: int, scheme: Any
) -> None:
    console.page.emulate_media(color_scheme=scheme)
    console.page.set_viewport_size({"width": width, "height": 900})
    for view in VIEWS:
        console.open(view)
        expect(console.page.get_by_role("heading", level=1)).to_be_visible()
        assert console.page.evaluate("document.documentElement.scrollWidth") <= width, view
        assert console.serious_problems() == [], view


def test_the_keyboard_reaches_the_content_and_the_views(console: ConsolePage) -> None:
    console.open("estate")
    page = console.page
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.get_by_role("link", name="Logs", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    expect(page).to_have_title("Logs · fin-advisor console")


MEASURE = """async ([id]) => {
  const shown = (ready) => new Promise((done) => {
    const look = () => (ready() ? requestAnimationFrame(() => done(performance.now()))
                                : requestAnimationFrame(look));
    look();
  });
  const timed = async (hash, ready) => {
    const began = performance.now();
    location.hash = hash;
    return Math.round((await shown(ready)) - began);
  };
  const rows = () => document.querySelectorAll("tbody tr").length >= 50;
  const spans = () => document.querySelectorAll(".waterfall li").length === 200;
  const traces_ms = await timed("#/traces", rows);
  return { traces_ms, waterfall_ms: await timed("#/traces/" + id, spans) };
}"""


@pytest.mark.usefixtures("many")
def test_the_times_are_measured(console: ConsolePage) -> None:
    """Recorded for docs/console.md and not compared: the machine may be busy."""
    console.open("estate")
    console.page.get_by_role("row", name="chat up").wait_for()
    paint = console.page.evaluate(
        "Math.round(performance.getEntriesByName('first-contentful-paint')[0].startTime)"
    )
    found = {"estate_first_paint_ms": paint, "traces": TRACES, "spans": SPANS}
    found |= console.page.evaluate(MEASURE, [f"{TRACES + 1:032x}"])
    if PICTURES:
        (Path(PICTURES) / "console-times.json").write_text(json.dumps(found, indent=1) + "\n")
    assert found["traces_ms"] > 0
