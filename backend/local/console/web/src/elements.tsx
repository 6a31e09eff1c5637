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
  const tone = status >= 500 || errors ? "bad" : status >= 400 ? "warn" : "good";
  return <Badge tone={tone}>{status}</Badge>;
}
