import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Empty, Problem, StatusBadge } from "./elements";
import { clock, count, duration } from "./format";
import { link } from "./route";
import { type TracePage, get } from "./server";
import { estate, traceChanges } from "./stream";

const NOTHING = { service: "", outcome: "", at_least_ms: "", text: "", background: "" };
const filters = signal(NOTHING);
const cursors = signal<string[]>([]);

function choose(fields: Partial<typeof NOTHING>): void {
  filters.value = { ...filters.value, ...fields };
  cursors.value = [];
}

export function TracesView() {
  const [page, setPage] = useState<TracePage | null>(null);
  const [problem, setProblem] = useState("");
  const cursor = cursors.value.at(-1);
  // Only the first page follows what arrives.
  const changes = cursor ? 0 : traceChanges.value;
  useEffect(() => {
    let isCurrent = true;
    get<TracePage>("/traces", { ...filters.value, cursor }).then(
      (content) => isCurrent && (setPage(content), setProblem("")),
      (error: Error) => isCurrent && setProblem(error.message),
    );
    return () => void (isCurrent = false);
  }, [filters.value, cursor, changes]);
  return (
    <section>
      <h1>Traces</h1>
      <form class="filters" role="search" aria-label="Filter traces" onSubmit={(event) => event.preventDefault()}>
        <label>
          Service
          <select value={filters.value.service} onChange={(event) => choose({ service: event.currentTarget.value })}>
            <option value="">all</option>
            {services().map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Status
          <select value={filters.value.outcome} onChange={(event) => choose({ outcome: event.currentTarget.value })}>
            <option value="">all</option>
            <option value="ok">ok</option>
            <option value="refused">refused (4xx)</option>
            <option value="failed">failed</option>
          </select>
        </label>
        <label>
          At least, in ms
          <input
            type="number"
            min="0"
            value={filters.value.at_least_ms}
            onInput={(event) => choose({ at_least_ms: event.currentTarget.value })}
          />
        </label>
        <label>
          Route
          <input
            type="search"
            placeholder="/api/ask"
            value={filters.value.text}
            onInput={(event) => choose({ text: event.currentTarget.value })}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={filters.value.background !== ""}
            onChange={(event) => choose({ background: event.currentTarget.checked ? "true" : "" })}
          />
          Health checks and scheduler
        </label>
      </form>
      {problem && <Problem text={problem} />}
      {page && page.traces.length === 0 && (
        <Empty>
          No trace matches. A request to the gateway makes one: <a href={link("ask")}>ask a question</a>.
        </Empty>
      )}
      {page && page.traces.length > 0 && <List page={page} />}
    </section>
  );
}

function List({ page }: { page: TracePage }) {
  const slowest = Math.max(...page.traces.map((one) => one.duration_ms));
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="List of traces">
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Request</th>
              <th scope="col">Status</th>
              <th scope="col">Duration</th>
              <th scope="col">Spans</th>
              <th scope="col">Services</th>
            </tr>
          </thead>
          <tbody>
            {page.traces.map((one) => (
              <tr key={one.trace_id}>
                <td class="time">{clock(one.started_at)}</td>
                <td>
                  <a href={link("traces", one.trace_id)}>{one.name}</a>
                </td>
                <td>
                  <StatusBadge status={one.status} errors={one.errors} />
                </td>
                <td class="number">
                  <svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect width={(100 * one.duration_ms) / (slowest || 1)} height="10" />
                  </svg>
                  {duration(one.duration_ms)}
                </td>
                <td>{one.spans}</td>
                <td class="quiet">{one.services.join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="pager">
        <button type="button" disabled={!cursors.value.length} onClick={() => (cursors.value = cursors.value.slice(0, -1))}>
          Newer
        </button>
        <button type="button" disabled={!page.cursor} onClick={() => (cursors.value = [...cursors.value, page.cursor!])}>
          Older
        </button>
        <span>
          {count(page.total, "trace")}, page {cursors.value.length + 1}
        </span>
      </p>
    </>
  );
}

function services(): string[] {
  return (estate.value?.processes ?? []).map((one) => one.service);
}
