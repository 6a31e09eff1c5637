import { useState } from "preact/hooks";
import { Problem } from "./elements";
import { type FaultState, post, send } from "./server";

// The switches; any other fault is ordered as a text.
const KINDS = { "error=503": "answers 503", "latency=2": "2 s slower", reset: "resets" };

export function Faults({ state }: { state: FaultState }) {
  const [problem, setProblem] = useState("");
  const [text, setText] = useState("");
  const change = async (work: Promise<unknown>) => {
    try {
      await work;
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const order = (fault: string) => change(post("/faults", { fault }));
  const cancel = (fault?: string) =>
    change(send("DELETE", fault ? `/faults?fault=${encodeURIComponent(fault)}` : "/faults"));
  return (
    <>
      <div class="heading">
        <h2>Faults</h2>
        <button type="button" disabled={!state.ordered.length} onClick={() => cancel()}>
          Cancel all
        </button>
      </div>
      <p class="quiet">A switch makes every request to that part fail or wait, until it is off again.</p>
      {problem && <Problem text={problem} />}
      <div class="scroll" tabIndex={0} role="region" aria-label="Faults">
        <table class="faults">
          <thead>
            <tr>
              <th scope="col">Part</th>
              {Object.entries(KINDS).map(([kind, title]) => (
                <th key={kind} scope="col">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {state.targets.map((target) => (
              <tr key={target}>
                <th scope="row">{target}</th>
                {Object.entries(KINDS).map(([kind, title]) => {
                  const fault = `${target}:${kind}`;
                  const isOn = state.ordered.includes(fault);
                  return (
                    <td key={kind}>
                      <button
                        type="button"
                        role="switch"
                        aria-checked={isOn}
                        aria-label={`${target} ${title}`}
                        class="switch"
                        onClick={() => (isOn ? cancel(fault) : order(fault))}
                      />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <form
        class="filters"
        onSubmit={(event) => {
          event.preventDefault();
          void order(text.trim());
        }}
      >
        <label>
          Another fault
          <input
            required
            minLength={3}
            maxLength={200}
            placeholder="s3:error=503,rate=0.5"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Order</button>
      </form>
      {state.ordered.length > 0 && (
        <ul class="ordered" aria-label="Ordered faults">
          {state.ordered.map((fault, number) => (
            <li key={number}>
              <code>{fault}</code>{" "}
              <button type="button" aria-label={`Cancel ${fault}`} onClick={() => cancel(fault)}>
                Cancel
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
