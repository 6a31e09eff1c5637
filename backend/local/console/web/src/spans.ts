// What a span is called, and whether it failed.
import type { TraceSpan } from "./server";

/** Callers of S3 expect 304 and 404; the instrumentation calls them errors. */
export function hasFailed(span: TraceSpan): boolean {
  const expected = [304, 404].includes(span.attributes["http.response.status_code"] as number);
  return span.status === "ERROR" && !expected;
}

/** The span's name. An HTTP client's span is named by its method only, so what it calls is added. */
export function callName(span: TraceSpan): string {
  if (span.kind !== "CLIENT" || !/^[A-Z]+$/.test(span.name)) return span.name;
  const { "url.full": full, "peer.service": peer, "server.address": address } = span.attributes;
  const url = typeof full === "string" ? URL.parse(full) : null;
  const host = peer ?? url?.host ?? address;
  return [span.name, url?.pathname, host && `at ${host}`].filter(Boolean).join(" ");
}
