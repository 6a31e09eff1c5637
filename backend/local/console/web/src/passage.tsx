// A document beside the view, with one passage, and a quote in it, marked.
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./elements";
import { useReturnedFocus } from "./focus";
import { type DocumentText, get } from "./server";

export interface Place {
  document_id: string;
  passage_id?: string;
  start?: number;
  end?: number;
}

export function PassagePanel({ place, onClose }: { place: Place; onClose: () => void }) {
  const [found, setFound] = useState<DocumentText | null>(null);
  const [problem, setProblem] = useState("");
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    let isCurrent = true;
    setProblem("");
    get<DocumentText>(`/documents/${encodeURIComponent(place.document_id)}`).then(
      (content) => isCurrent && setFound(content),
      (error: Error) => isCurrent && setProblem(error.message),
    );
    return () => void (isCurrent = false);
  }, [place.document_id]);
  useReturnedFocus(panel, place);
  useEffect(() => panel.current?.focus(), [place]);
  useEffect(() => {
    panel.current?.querySelector("mark, .chosen")?.scrollIntoView({ block: "center" });
  }, [found, place]);
  return (
    <aside
      ref={panel}
      class="panel"
      tabIndex={-1}
      aria-label="Passage"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <div class="heading">
        <h2>{found?.title ?? place.document_id}</h2>
        <button type="button" onClick={onClose} aria-label="Close the passage">
          Close
        </button>
      </div>
      {problem && <Problem text={problem} />}
      {found?.contents.map((passage) => {
        const isChosen = passage.passage_id === place.passage_id;
        return (
          <article key={passage.passage_id} class={isChosen ? "passage chosen" : "passage"}>
            <p class="facts">
              <code>{passage.passage_id}</code>
              {passage.page !== null && <span>page {passage.page}</span>}
              {passage.heading && <span>{passage.heading}</span>}
            </p>
            <p class="text">{isChosen ? <Marked text={passage.text} place={place} /> : passage.text}</p>
          </article>
        );
      })}
    </aside>
  );
}

/** The text with its quote marked. Offsets count code points, as in Python. */
function Marked({ text, place }: { text: string; place: Place }) {
  const { start, end } = place;
  if (start === undefined || end === undefined) return <>{text}</>;
  const points = [...text];
  const part = (from: number, to?: number) => points.slice(from, to).join("");
  return (
    <>
      {part(0, start)}
      <mark>{part(start, end)}</mark>
      {part(end)}
    </>
  );
}
