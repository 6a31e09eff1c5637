import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { turns } from "./conversation";
import { Badge, Problem } from "./elements";
import { useReturnedFocus } from "./focus";
import { clock, count, duration } from "./format";
import { Line } from "./line";
import { link, route } from "./route";
import { type Trace, type TraceSpan, get } from "./server";
import { serviceClass } from "./services";
import { callName, hasFailed } from "./spans";
import { estate, traceChanges } from "./stream";

// Spans arrive in several exports; a trace that is younger than this is read again.
const STILL_ARRIVING_SECONDS = 15;

export function TraceView({ id }: { id: string }) {
  const [trace, setTrace] = useState<Trace | null>(null);
  const [problem, setProblem] = useState("");
  const isYoung = !trace || Date.now() / 1000 - trace.started_at < STILL_ARRIVING_SECONDS;
  useEffect(() => {
    let isCurrent = true;
    get<Trace>(`/traces/${encodeURIComponent(id)}`).then(
      (content) => isCurrent && (setTrace(content), setProblem("")),
      (error: Error) => isCurrent && setProblem(error.message),
    );
    return () => void (isCurrent = false);
  }, [id, isYoung && traceChanges.value]);
  if (!trace) return problem ? <Problem text={problem} /> : <p class="progress">Reading the trace …</p>;
  return <Content trace={trace} />;
}

function Content({ trace }: { trace: Trace }) {
  const rows = useMemo(() => ordered(trace.spans), [trace]);
  const [chosen, setChosen] = useState(route.value.query.get("span") ?? "");
  const span = trace.spans.find((one) => one.span_id === chosen);
  const hasAnswer = turns.value.some((turn) => turn.traceId === trace.trace_id);
  return (
    <section>
      <p>
        <a href={link("traces")}>All traces</a>
      </p>
      <h1>{rows[0]?.span.name}</h1>
      <p class="facts">
        <span>{clock(trace.started_at)}</span>
        <span>{duration(trace.duration_ms)}</span>
        <span>{count(trace.spans.length, "span")}</span>
        <code>{trace.xray_trace_id}</code>
        <a href={link("logs", "", { trace: trace.trace_id })}>{count(trace.lines.length, "log line")}</a>
        {hasAnswer && <a href={link("ask", "", { trace: trace.trace_id })}>Show the answer</a>}
      </p>
      <div class={span ? "split open" : "split"}>
        <Waterfall trace={trace} rows={rows} chosen={chosen} onChoose={setChosen} />
        {span && <SpanPanel trace={trace} span={span} onClose={() => setChosen("")} />}
      </div>
    </section>
  );
}

interface Row {
  span: TraceSpan;
  depth: number;
}

interface WaterfallProps {
  trace: Trace;
  rows: Row[];
  chosen: string;
  onChoose: (id: string) => void;
}

function Waterfall({ trace, rows, chosen, onChoose }: WaterfallProps) {
  const total = trace.duration_ms || 1;
  const classOf = serviceClass(estate.value, trace.spans);
  const move = (event: KeyboardEvent) => {
    if (event.key === "Escape") onChoose("");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...(event.currentTarget as HTMLElement).querySelectorAll("button")];
    buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus();
  };
  return (
    <div>
      <div class="axis">
        <span>Span</span>
        <span class="times">
          {[0, total / 2, total].map((ms, place) => (
            <span key={place}>{ms === 0 ? "0 ms" : duration(ms)}</span>
          ))}
        </span>
        <span class="duration">Duration</span>
      </div>
      <ol class="waterfall" aria-label="Spans" onKeyDown={move}>
        {rows.map(({ span, depth }) => {
          const failed = hasFailed(span);
          const name = callName(span);
          return (
            <li key={span.span_id}>
              <button
                type="button"
                aria-pressed={span.span_id === chosen}
                onClick={() => onChoose(span.span_id === chosen ? "" : span.span_id)}
              >
                <span class="name" title={`${span.service} ${name}`} style={{ paddingLeft: `${Math.min(depth, 16) * 0.45}rem` }}>
                  <b>{span.service}</b> {name}
                </span>
                <svg viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
                  <rect
                    class={failed ? "failed" : classOf(span.service)}
                    x={(1000 * span.start_ms) / total}
                    width={Math.max(3, (1000 * span.duration_ms) / total)}
                    y="1"
                    height="10"
                  />
                </svg>
                <span class="duration">
                  {failed && "error, "}
                  {duration(span.duration_ms)}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function SpanPanel({ trace, span, onClose }: { trace: Trace; span: TraceSpan; onClose: () => void }) {
  const lines = trace.lines.filter((line) => line.span_id === span.span_id);
  const panel = useRef<HTMLElement>(null);
  useReturnedFocus(panel, span.span_id);
  return (
    <aside ref={panel} class="panel" aria-label="Span" onKeyDown={(event) => event.key === "Escape" && onClose()}>
      <div class="heading">
        <h2>{callName(span)}</h2>
        <button type="button" onClick={onClose} aria-label="Close the span">
          Close
        </button>
      </div>
      <p class="facts">
        {hasFailed(span) && <Badge tone="bad">error</Badge>}
        {span.status === "OK" && <Badge tone="good">ok</Badge>}
        <span>{span.service}</span>
        <span>{span.kind.toLowerCase()}</span>
        <span>
          {duration(span.duration_ms)}, from {duration(span.start_ms)}
        </span>
      </p>
      <h3>Log lines</h3>
      {lines.length === 0 && <p class="quiet">This span wrote no log line.</p>}
      <ul class="lines">
        {lines.map((line) => (
          <Line key={line.number} line={line} withTrace={false} />
        ))}
      </ul>
      {span.events.map((event, number) => (
        <div key={number}>
          <h3>{event.name}</h3>
          <Attributes values={event.attributes} />
        </div>
      ))}
      <h3>Attributes</h3>
      <Attributes values={{ ...span.attributes, "span id": span.span_id, scope: span.scope }} />
    </aside>
  );
}

function Attributes({ values }: { values: Record<string, unknown> }) {
  return (
    <dl class="attributes">
      {Object.entries(values).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "string" ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The spans as a tree, flattened: parents before their children, children by start. */
function ordered(spans: TraceSpan[]): Row[] {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map<string, TraceSpan[]>();
  for (const span of spans) {
    const parent = known.has(span.parent_id) && span.parent_id !== span.span_id ? span.parent_id : "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const rows: Row[] = [];
  const stack: Row[] = [];
  const push = (parent: string, depth: number) => {
    for (const span of (children.get(parent) ?? []).toReversed()) stack.push({ span, depth });
    children.delete(parent); // a cycle of parents would never end
  };
  push("", 0);
  for (let row = stack.pop(); row; row = stack.pop()) {
    rows.push(row);
    push(row.span.span_id, row.depth + 1);
  }
  return rows;
}
