// Each service has its own colour, the same one in every trace.
import type { Estate, TraceSpan } from "./server";

// As many as style.css has.
const COLOURS = 9;
// Parts of the estate that send spans and are no service of it.
const PARTS = ["gateway", "lambda"];

/** Returns what gives the class of a service's bars. */
export function serviceClass(estate: Estate | null, spans: TraceSpan[]): (service: string) => string {
  const known = [...PARTS, ...(estate?.processes ?? []).map((one) => one.service)];
  const names = [...new Set([...known, ...spans.map((span) => span.service).sort()])];
  return (service) => `service-${names.indexOf(service) % COLOURS}`;
}
