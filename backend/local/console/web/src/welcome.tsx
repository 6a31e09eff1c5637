// What the Ask page says before the first question.
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./elements";
import { count } from "./format";
import { link } from "./route";
import { type SampleState, events, get, send } from "./server";
import { uploads } from "./stream";

const EXAMPLES = [
  "How large should an emergency fund be?",
  "What does credit card debt cost?",
  "Should I pay off credit card debt before I invest?",
];

export function Welcome({ onAsk }: { onAsk: (question: string) => void }) {
  const [state, setState] = useState<SampleState | null>(null);
  const [progress, setProgress] = useState("");
  const [problem, setProblem] = useState("");
  const [isLoading, setLoading] = useState(false);
  const read = () => get<SampleState>("/samples").then(setState, (error: Error) => setProblem(error.message));
  useEffect(() => void read(), [uploads.value]);
  const load = async () => {
    setLoading(true);
    setProblem("");
    try {
      let isWhole = false;
      for await (const [name, content] of events(await send("POST", "/samples"))) {
        if (name === "error") throw new Error(content.detail);
        isWhole = name === "done";
        const stored = `${content.stored} of ${count(content.total, "sample document")} stored`;
        setProgress(`${stored}, ${count(content.passages, "passage")}.`);
      }
      if (!isWhole) throw new Error("The loading broke off. Load the sample documents again.");
    } catch (error) {
      setProblem((error as Error).message);
    }
    await read();
    setLoading(false);
  };
  return (
    <div class="welcome">
      <p>Answers come from the stored documents only, and cite them.</p>
      {state?.is_store_empty && (
        <>
          <p>
            No document is stored yet. Load the {count(state.count, "sample document")} of the demonstration, or{" "}
            <a href={link("documents")}>your own</a>.
          </p>
          <button type="button" class="primary" disabled={isLoading} onClick={load}>
            {isLoading ? "Loading …" : "Load the sample documents"}
          </button>
        </>
      )}
      <p role="status">{progress}</p>
      {problem && <Problem text={problem} />}
      {state && !state.is_store_empty && (
        <>
          <p>Try one of these, which the sample documents answer:</p>
          {EXAMPLES.map((example) => (
            <button key={example} type="button" class="example" onClick={() => onAsk(example)}>
              {example}
            </button>
          ))}
        </>
      )}
    </div>
  );
}
