// Small elements that several views use.
import type { ComponentChildren } from "preact";

type Tone = "good" | "warn" | "bad" | "quiet";

export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

export function Problem({ text }: { text: string }) {
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function StatusBadge({ status, errors }: { status: number | null; errors: number }) {
  if (status === null) return <Badge tone={errors ? "bad" : "quiet"}>{errors ? "error" : "no request"}</Badge>;
  // A streamed answer can fail after its 200.
  if (status >= 500 || errors) return <Badge tone="bad">{status}, failed</Badge>;
  return status >= 400 ? <Badge tone="warn">{status}, refused</Badge> : <Badge tone="good">{status}</Badge>;
}
