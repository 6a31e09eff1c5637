import { useEffect, useRef, useState } from "preact/hooks";
import { Empty, Problem } from "./elements";
import { Line } from "./line";
import { link, route } from "./route";
import { type LogLine, type LogPage, get } from "./server";
import { estate, newLines } from "./stream";

const LEVELS = ["debug", "info", "warning", "error", "critical"] as const;
const MOST = 500;

export function LogsView() {
  const trace = route.value.query.get("trace") ?? "";
  const [filters, setFilters] = useState({ service: "", level: "debug", text: "" });
  const [lines, setLines] = useState<LogLine[]>([]);
  const [older, setOlder] = useState<number | null>(null);
  const [isLive, setLive] = useState(true);
  const [problem, setProblem] = useState("");
  const isFirst = useRef(true);

  const read = async (before: number | null) => {
    try {
      const page = await get<LogPage>("/logs", { ...filters, trace, before });
      setLines((known) => (before === null ? page.lines : [...known, ...page.lines]));
      setOlder(page.before);
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  useEffect(() => void read(null), [filters, trace]);

  const arrived = newLines.value;
  useEffect(() => {
    if (isFirst.current) isFirst.current = false; // these lines are on the page that is being read
    else if (isLive) {
      const matching = arrived.filter((line) => matches(line, filters, trace)).toReversed();
      if (matching.length) {
        setLines((known) => {
          const newest = known[0]?.number ?? 0;
          return [...matching.filter((line) => line.number > newest), ...known].slice(0, MOST);
        });
      }
    }
  }, [arrived]);

  const choose = (fields: Partial<typeof filters>) => setFilters({ ...filters, ...fields });
  return (
    <section>
      <h1>Logs</h1>
      <form class="filters" role="search" aria-label="Filter log lines" onSubmit={(event) => event.preventDefault()}>
        <label>
          Service
          <select value={filters.service} onChange={(event) => choose({ service: event.currentTarget.value })}>
            <option value="">all</option>
            {(estate.value?.processes ?? []).map((one) => (
              <option key={one.service}>{one.service}</option>
            ))}
          </select>
        </label>
        <label>
          Level, at least
          <select value={filters.level} onChange={(event) => choose({ level: event.currentTarget.value })}>
            {LEVELS.map((level) => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </label>
        <label>
          Text
          <input type="search" value={filters.text} onInput={(event) => choose({ text: event.currentTarget.value })} />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isLive}
            onChange={(event) => {
              setLive(event.currentTarget.checked);
              if (event.currentTarget.checked) void read(null);
            }}
          />
          Live
        </label>
      </form>
      {trace && (
        <p class="facts">
          Only trace <code>{trace}</code> <a href={link("traces", trace)}>Show it</a>
          <a href={link("logs")}>All log lines</a>
        </p>
      )}
      {problem && <Problem text={problem} />}
      {lines.length === 0 && !problem && <Empty>No log line matches.</Empty>}
      <ul class="lines">
        {lines.map((line) => (
          <Line key={line.number} line={line} />
        ))}
      </ul>
      {older !== null && (
        <button type="button" onClick={() => void read(lines.at(-1)?.number ?? older)}>
          Older lines
        </button>
      )}
    </section>
  );
}

function matches(
  line: LogLine,
  filters: { service: string; level: string; text: string },
  trace: string,
): boolean {
  const severity = (level: string) => LEVELS.findIndex((known) => known === level);
  return (
    (!filters.service || line.service === filters.service) &&
    severity(line.level) >= severity(filters.level) &&
    (!trace || line.trace_id === trace) &&
    line.text.toLowerCase().includes(filters.text.toLowerCase())
  );
}
