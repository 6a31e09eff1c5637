// The conversation with the estate. It survives a reload of the page, not the end of its tab.
import { effect, signal } from "@preact/signals";
import { RequestError, events, send } from "./server";

export interface Citation {
  marker: number;
  document_id: string;
  passage_id: string;
  title: string | null;
  page: number | null;
  quote: string;
  start: number;
  end: number;
}

export interface Removed {
  sentence: string;
  reason: string;
}

export interface Answer {
  answer: string;
  status: "answered" | "partial" | "unknown" | "refused" | "incomplete";
  citations: Citation[];
  removed: Removed[];
  disclosure: string;
  boundary: { category: string; rule: string | null; policy_version: string } | null;
  usage: { input_tokens: number; output_tokens: number };
  model_id: string | null;
  conversation_id: string;
}

export interface Turn {
  question: string;
  units: string[];
  citations: Citation[];
  removed: Removed[];
  answer: Answer | null;
  error: string | null;
  traceId: string | null;
  progress: string | null;
}

const KEPT = "console-conversation";

export const turns = signal<Turn[]>(kept());
export const isAsking = signal(false);

effect(() => {
  if (!isAsking.value) sessionStorage.setItem(KEPT, JSON.stringify(turns.value));
});

function kept(): Turn[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
  } catch {
    return [];
  }
}

function change(fields: Partial<Turn>): void {
  const last = turns.value.at(-1)!;
  turns.value = [...turns.value.slice(0, -1), { ...last, ...fields }];
}

export async function ask(question: string): Promise<void> {
  const conversation_id = turns.value.findLast((turn) => turn.answer)?.answer!.conversation_id;
  const empty = { units: [], citations: [], removed: [], answer: null, error: null, traceId: null };
  isAsking.value = true;
  turns.value = [...turns.value, { question, ...empty, progress: "Asking …" }];
  try {
    const body = conversation_id ? { question, conversation_id } : { question };
    for await (const [name, content] of events(await send("POST", "/ask", body))) take(name, content);
    const last = turns.value.at(-1)!;
    // A stream that breaks off is never shown as a whole answer.
    if (!last.answer && !last.error) change({ error: "The answer broke off. Ask again." });
  } catch (error) {
    const text = error instanceof RequestError ? error.message : "The answer broke off. Ask again.";
    change({ error: text });
  } finally {
    change({ progress: null });
    isAsking.value = false;
  }
}

function take(name: string, content: any): void {
  const last = turns.value.at(-1)!;
  if (name === "trace") change({ traceId: content.trace_id });
  else if (name === "passages")
    change({ progress: `Read ${content.passages?.length ?? "the"} passages, writing …` });
  else if (name === "unit")
    change({
      units: [...last.units, content.text],
      citations: [...last.citations, ...(content.citations ?? [])],
    });
  else if (name === "removed") change({ removed: [...last.removed, content] });
  else if (name === "done") change({ answer: content, removed: content.removed, citations: content.citations });
  else if (name === "error") change({ error: content.detail ?? "The question could not be answered." });
}

export function startOver(): void {
  turns.value = [];
}
