import { useEffect, useRef } from "preact/hooks";
import { AskView } from "./ask";
import { DocumentsView } from "./documents";
import { EstateView } from "./estate";
import { LogsView } from "./logs";
import { link, route } from "./route";
import { connected, estate } from "./stream";
import { TraceView } from "./trace";
import { TracesView } from "./traces";

const VIEWS = { ask: "Ask", documents: "Documents", estate: "Estate", traces: "Traces", logs: "Logs" };

function View() {
  const { view, id } = route.value;
  if (view === "documents") return <DocumentsView />;
  if (view === "estate") return <EstateView />;
  if (view === "traces") return id ? <TraceView key={id} id={id} /> : <TracesView />;
  if (view === "logs") return <LogsView key={route.value.query.toString()} />;
  return <AskView />;
}

export function App() {
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const { view, id } = route.value;
  useEffect(() => {
    const name = VIEWS[view as keyof typeof VIEWS] ?? "Ask";
    document.title = `${name} · fin-advisor console`;
    if (first.current) first.current = false;
    else main.current?.focus(); // screen readers go on in the new view
  }, [view, id]);
  const down = estate.value?.processes.filter((one) => ["down", "stopped"].includes(one.state)) ?? [];
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the content
      </a>
      <header>
        <strong>{estate.value?.project ?? "fin-advisor"}</strong>
        <nav aria-label="Views">
          {Object.entries(VIEWS).map(([name, title]) => (
            <a key={name} href={link(name)} aria-current={view === name ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
        <span class="environment">{estate.value?.environment}</span>
      </header>
      <div role="status" class="notices">
        {!connected.value && <p class="notice">The estate does not answer. This page connects again by itself.</p>}
        {down.length > 0 && (
          <p class="notice">
            {down.map((one) => `${one.service} is ${one.state}`).join(", ")}. <a href={link("estate")}>Show the estate</a>
          </p>
        )}
      </div>
      <main id="main" ref={main} tabIndex={-1} class={`view-${view}`}>
        <View />
      </main>
    </>
  );
}
