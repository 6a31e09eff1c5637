import { Badge } from "./elements";
import { clock } from "./format";
import { link } from "./route";
import type { LogLine } from "./server";

const TONES = { debug: "quiet", info: "quiet", warning: "warn", error: "bad", critical: "bad" } as const;

/** A log line; opened, it shows all its fields. */
export function Line({ line, withTrace = true }: { line: LogLine; withTrace?: boolean }) {
  return (
    <li>
      <details>
        <summary>
          <span class="time">{clock(line.time)}</span> <b>{line.service}</b>{" "}
          <Badge tone={TONES[line.level]}>{line.level}</Badge> <span class="event">{line.event}</span>{" "}
          <span class="quiet">{summary(line)}</span>
        </summary>
        <pre tabIndex={0}>{pretty(line.text)}</pre>
      </details>
      {withTrace && line.trace_id && (
        <a href={link("traces", line.trace_id, line.span_id ? { span: line.span_id } : {})} aria-label={`Trace of ${line.event}`}>
          trace
        </a>
      )}
    </li>
  );
}

function fields(text: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function summary(line: LogLine): string {
  const found = fields(line.text);
  if (!found) return "";
  const parts = [found.method, found.path, found.status, found.error ?? found.reason];
  return parts.filter((part) => part !== undefined).join(" ");
}

function pretty(text: string): string {
  const found = fields(text);
  return found ? JSON.stringify(found, null, 2) : text;
}
