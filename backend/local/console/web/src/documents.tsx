import { useEffect, useRef, useState } from "preact/hooks";
import { DropZone } from "./drop";
import { Badge, Empty, Problem } from "./elements";
import { bytes, count } from "./format";
import { PassagePanel, type Place } from "./passage";
import { link } from "./route";
import { type DocumentPage, type Found, type Upload, get, post, send } from "./server";
import { uploads } from "./stream";

type Document = DocumentPage["documents"][number];

export function DocumentsView() {
  const [documents, setDocuments] = useState<Document[] | null>(null);
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  const [place, setPlace] = useState<Place | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const read = async (from: string | null) => {
    try {
      const page = await get<DocumentPage>("/documents", { cursor: from });
      setDocuments((known) => (from ? [...(known ?? []), ...page.documents] : page.documents));
      setCursor(page.cursor ?? null);
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const ended = uploads.value.filter((one) => !["waiting", "running"].includes(one.state)).length;
  useEffect(() => void read(null), [ended]);
  const remove = async (id: string) => {
    if (!confirm(`Delete ${id} with its passages?`)) return;
    try {
      await send("DELETE", `/documents/${encodeURIComponent(id)}`);
      setPlace((shown) => (shown?.document_id === id ? null : shown));
      await read(null);
      heading.current?.focus(); // its button is gone, and a reader with a keyboard would begin at the top again
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <div class={place ? "split open" : "split"}>
      <section>
        <h1>Documents</h1>
        <DropZone onProblem={setProblem} />
        {uploads.value.length > 0 && <Uploads uploads={uploads.value} />}
        <SearchBox onOpen={setPlace} />
        <h2 ref={heading} tabIndex={-1}>
          Stored documents
        </h2>
        {problem && <Problem text={problem} />}
        {documents?.length === 0 && <Empty>No document is stored. Drop files above.</Empty>}
        {documents && documents.length > 0 && (
          <ul class="documents" aria-label="Stored documents">
            {documents.map((one) => (
              <li key={one.id}>
                <button type="button" class="open" onClick={() => setPlace({ document_id: one.id })}>
                  <b>{one.title ?? one.id}</b>
                  <span class="quiet">
                    {one.id}, {count(one.passages, "passage")}
                  </span>
                </button>
                <button type="button" aria-label={`Delete ${one.id}`} onClick={() => remove(one.id)}>
                  Delete
                </button>
              </li>
            ))}
          </ul>
        )}
        {cursor && (
          <button type="button" onClick={() => read(cursor)}>
            More documents
          </button>
        )}
      </section>
      {place && <PassagePanel place={place} onClose={() => setPlace(null)} />}
    </div>
  );
}

const UPLOAD_TONES = { waiting: "quiet", running: "warn", succeeded: "good", partial: "warn", failed: "bad" } as const;

function Uploads({ uploads: shown }: { uploads: Upload[] }) {
  return (
    <>
      <h2>Files</h2>
      <ul class="uploads" aria-label="Files" aria-live="polite">
        {shown.map((one) => (
          <li key={one.id}>
            <Badge tone={UPLOAD_TONES[one.state]}>{one.state}</Badge> {one.name}{" "}
            <span class="quiet">
              {bytes(one.size_bytes)}
              {one.pages > 0 && `, ${count(one.pages, "page")} stored`}
            </span>
            {one.problems.map((problem, number) => (
              <p key={number} class="problem">
                {problem.pages.length > 0 &&
                  `Pages ${problem.pages.map(([first, last]) => (first === last ? first : `${first} to ${last}`)).join(", ")}: `}
                {problem.detail}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}

function SearchBox({ onOpen }: { onOpen: (place: Place) => void }) {
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState("");
  const [text, setText] = useState("");
  const [mode, setMode] = useState("");
  const search = async () => {
    try {
      setFound(await post<Found>("/search", mode ? { text, mode } : { text }));
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <>
      <h2>Search</h2>
      <form
        class="filters"
        role="search"
        aria-label="Search passages"
        onSubmit={(event) => {
          event.preventDefault();
          void search();
        }}
      >
        <label>
          Words
          <input type="search" required maxLength={4000} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <label>
          Mode
          <select value={mode} onChange={(event) => setMode(event.currentTarget.value)}>
            <option value="">as deployed</option>
            <option value="dense">by meaning (dense)</option>
            <option value="lexical">by words (lexical)</option>
            <option value="hybrid">both (hybrid)</option>
          </select>
        </label>
        <button type="submit">Search</button>
      </form>
      {problem && <Problem text={problem} />}
      {found && found.passages.length === 0 && <Empty>No passage was found.</Empty>}
      {found && found.passages.length > 0 && (
        <>
          <p class="facts">
            <span>{count(found.passages.length, "passage")}</span>
            <a href={link("traces", found.trace_id)}>Show the trace</a>
          </p>
          <ol class="found" aria-label="Passages found">
            {found.passages.map((one) => (
              <li key={one.passage_id}>
                <button type="button" class="open" onClick={() => onOpen({ ...one })}>
                  <b>{one.title ?? one.document_id}</b>
                  <span class="quiet">
                    {one.heading && `${one.heading}, `}
                    {one.page !== null && `page ${one.page}`}
                  </span>
                </button>
                <p class="text">{one.text.slice(0, 280)}</p>
                <p class="facts">
                  {Object.entries(one.scores).map(
                    ([name, score]) => score !== null && <Score key={name} name={name} score={score} />,
                  )}
                </p>
              </li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}

function Score({ name, score }: { name: string; score: number }) {
  return (
    <span class="score">
      {name} {score.toFixed(3)}
    </span>
  );
}
