// The view is in the URL's fragment: #/traces/ID?span=X.
import { signal } from "@preact/signals";

export interface Route {
  view: string;
  id: string;
  query: URLSearchParams;
}

function parse(): Route {
  const [path = "", query = ""] = location.hash.slice(1).split("?");
  const [, view = "", ...rest] = path.split("/");
  return {
    view: view || "ask",
    id: decodeURIComponent(rest.join("/")),
    query: new URLSearchParams(query),
  };
}

export const route = signal(parse());
addEventListener("hashchange", () => (route.value = parse()));

export function link(view: string, id = "", query: Record<string, string> = {}): string {
  const text = new URLSearchParams(query).toString();
  return `#/${view}${id ? `/${encodeURIComponent(id)}` : ""}${text ? `?${text}` : ""}`;
}
