import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Badge, Problem } from "./elements";
import { useNewestInView } from "./newest";
import { PassagePanel, type Place } from "./passage";
import { link, route } from "./route";
import { estate } from "./stream";
import { Welcome } from "./welcome";
import { type Citation, type Removed, type Turn, ask, isAsking, startOver, turns } from "./conversation";

const TONES = { answered: "good", partial: "warn", unknown: "quiet", refused: "bad", incomplete: "warn" } as const;
const REASONS: Record<string, string> = {
  no_citation: "it cites no passage",
  number_not_in_source: "a figure is not in the cited passage",
  unknown_source: "it cites a passage that was not retrieved",
  not_supported: "the cited passage does not support it",
  recommendation: "it says what the reader personally should do",
};

const opened = signal<Place | null>(null);

export function AskView() {
  const input = useRef<HTMLTextAreaElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const follow = useNewestInView(list, form, turns.value);
  const wanted = route.value.query.get("trace");
  useEffect(() => {
    if (wanted) document.getElementById(`turn-${wanted}`)?.scrollIntoView({ block: "center" });
  }, [wanted]);
  const submit = (question: string) => {
    if (!question.trim() || isAsking.value) return;
    if (input.current) input.current.value = "";
    follow();
    void ask(question.trim());
  };
  return (
    <div class={opened.value ? "split open" : "split"}>
      <section aria-label="Conversation">
        <h1>Ask</h1>
        <Hints />
        {turns.value.length === 0 && <Welcome onAsk={submit} />}
        <ol ref={list} class="turns" aria-live="polite">
          {turns.value.map((turn, number) => (
            <TurnItem key={number} turn={turn} isWanted={wanted !== null && turn.traceId === wanted} />
          ))}
        </ol>
        <form
          ref={form}
          class="question"
          onSubmit={(event) => {
            event.preventDefault();
            submit(input.current!.value);
          }}
        >
          <label for="question">Question</label>
          <textarea
            id="question"
            ref={input}
            rows={2}
            maxLength={4000}
            placeholder="Ask about the stored documents"
            onKeyDown={(event) => {
              if (event.key === "Enter" && !event.shiftKey) {
                event.preventDefault();
                submit(event.currentTarget.value);
              }
            }}
          />
          <div class="actions">
            <button type="submit" class="primary" disabled={isAsking.value}>
              {isAsking.value ? "Asking …" : "Ask"}
            </button>
            {turns.value.length > 0 && (
              <button type="button" disabled={isAsking.value} onClick={startOver}>
                New conversation
              </button>
            )}
          </div>
        </form>
      </section>
      {opened.value && <PassagePanel place={opened.value} onClose={() => (opened.value = null)} />}
    </div>
  );
}

/** What makes answers differ from those of a deployment. */
function Hints() {
  const faults = estate.value?.faults.ordered ?? [];
  return (
    <>
      {estate.value?.is_stand_in && <p class="quiet">The local stand-in answers here, not a model on Amazon Bedrock.</p>}
      {faults.length > 0 && (
        <p class="hint">
          {faults.length === 1 ? "A fault is" : "Faults are"} switched on, so answers may fail or be slow:{" "}
          <code>{faults.join(", ")}</code>. <a href={link("estate")}>Switch off on the Estate page</a>
        </p>
      )}
    </>
  );
}

function TurnItem({ turn, isWanted }: { turn: Turn; isWanted: boolean }) {
  const { answer } = turn;
  return (
    <li id={turn.traceId ? `turn-${turn.traceId}` : undefined} class={isWanted ? "turn wanted" : "turn"}>
      <h2>{turn.question}</h2>
      {turn.progress && !turn.units.length && <p class="progress">{turn.progress}</p>}
      <Text text={answer?.answer ?? turn.units.join("")} citations={turn.citations} />
      {turn.error && <Problem text={turn.error} />}
      {turn.removed.length > 0 && <RemovedUnits removed={turn.removed} />}
      <p class="facts">
        {answer && <Badge tone={TONES[answer.status]}>{answer.status}</Badge>}
        {answer?.boundary && answer.boundary.category !== "information" && (
          <span title={`Policy ${answer.boundary.policy_version}`}>
            Boundary: {answer.boundary.category}
            {answer.boundary.rule && ` (rule ${answer.boundary.rule})`}
          </span>
        )}
        {answer && <span>{answer.usage.input_tokens + answer.usage.output_tokens} tokens</span>}
        {turn.traceId && <a href={link("traces", turn.traceId)}>Show the trace</a>}
      </p>
      {answer && answer.model_id !== null && <p class="disclosure">{answer.disclosure}</p>}
    </li>
  );
}

/** Checked text; each marker, such as [1], is a button that opens the cited passage. */
function Text({ text, citations }: { text: string; citations: Citation[] }) {
  const parts = text.split(/(\[\d+\])/);
  return (
    <>
      <p class="answer">
        {parts.map((part) => {
          const marker = /^\[(\d+)\]$/.exec(part)?.[1];
          const found = citations.find((one) => String(one.marker) === marker);
          if (!found) return part;
          return (
            <button
              type="button"
              class="marker"
              aria-label={`Source ${found.marker}: ${found.title ?? found.document_id}`}
              onClick={() => (opened.value = found)}
            >
              {found.marker}
            </button>
          );
        })}
      </p>
      {citations.length > 0 && (
        <ul class="sources" aria-label="Sources">
          {citations.map((one) => (
            <li key={one.marker}>
              <button type="button" onClick={() => (opened.value = one)}>
                <span class="number">{one.marker}</span> {one.title ?? one.document_id}
                {one.page !== null && `, page ${one.page}`}
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function RemovedUnits({ removed }: { removed: Removed[] }) {
  return (
    <details class="removed" open>
      <summary>
        {removed.length === 1 ? "1 sentence was removed" : `${removed.length} sentences were removed`}
      </summary>
      <ul>
        {removed.map((one) => (
          <li key={one.sentence}>
            <del>{one.sentence}</del> <span>Removed, because {REASONS[one.reason] ?? one.reason}.</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
