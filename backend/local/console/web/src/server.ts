// Requests to the console's API. The page's token goes with each one that changes something.
import type { components } from "./api";

type Schemas = components["schemas"];
export type Estate = Schemas["Estate"];
export type Process = Schemas["Process"];
export type Flow = Schemas["Flow"];
export type Key = Schemas["Key"];
export type Health = Schemas["Health"];
export type LogLine = Schemas["LogLine"];
export type LogPage = Schemas["LogPage"];
export type Trace = Schemas["Trace"];
export type TraceSpan = Schemas["TraceSpan"];
export type TracePage = Schemas["TracePage"];
export type DocumentPage = Schemas["DocumentPage"];
export type DocumentText = Schemas["DocumentText"];
export type Found = Schemas["Found"];
export type Upload = Schemas["Upload"];
export type SampleState = Schemas["SampleState"];
export type FaultState = Schemas["FaultState"];

const token = document.querySelector<HTMLMetaElement>("meta[name=console-token]")!.content;

/** A request that failed; the message is for the reader. */
export class RequestError extends Error {}

export async function send(
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object | Blob,
): Promise<Response> {
  const headers: Record<string, string> = method === "GET" ? {} : { "x-console-token": token };
  const isFile = body instanceof Blob;
  if (body && !isFile) headers["content-type"] = "application/json";
  const init: RequestInit = { method, headers };
  if (body) init.body = isFile ? body : JSON.stringify(body);
  let response: Response;
  try {
    response = await fetch(`/console/api${path}`, init);
  } catch {
    throw new RequestError("The estate does not answer. Is it still running?");
  }
  if (!response.ok) throw new RequestError(await reason(response));
  return response;
}

export async function get<T>(path: string, query: Record<string, unknown> = {}): Promise<T> {
  const given = Object.entries(query).filter(([, value]) => value || value === 0);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return (await send("GET", text ? `${path}?${text}` : path)).json();
}

export async function post<T>(path: string, body: object = {}): Promise<T> {
  const response = await send("POST", path, body);
  return response.status === 204 ? (undefined as T) : response.json();
}

/** Yields the server-sent events of a response. */
export async function* events(response: Response): AsyncGenerator<[string, any]> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop()!;
    for (const block of blocks) {
      const lines = block.split(/\r?\n/);
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length).trim());
      const data = field("data:").join("\n");
      if (data) yield [field("event:")[0] ?? "message", JSON.parse(data)];
    }
  }
}

async function reason(response: Response): Promise<string> {
  try {
    return (await response.json()).detail;
  } catch {
    return `The estate answered ${response.status}.`;
  }
}
