// What the server-sent stream last said. Every view reads these signals.
import { signal } from "@preact/signals";
import type { Estate, LogLine, Upload } from "./server";

export const estate = signal<Estate | null>(null);
export const uploads = signal<Upload[]>([]);
export const traceChanges = signal(0);
export const connected = signal(true);
export const newLines = signal<LogLine[]>([]);

export function openStream(): void {
  const source = new EventSource("/console/events");
  const on = (name: string, take: (content: any) => void) =>
    source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent).data)));
  on("estate", (content) => (estate.value = content));
  on("uploads", (content) => (uploads.value = content));
  on("traces", (content) => (traceChanges.value = content));
  on("logs", (content) => (newLines.value = content));
  source.onopen = () => (connected.value = true);
  // The browser connects again by itself.
  source.onerror = () => (connected.value = false);
  // A navigation that keeps the connection would be an error in the console.
  addEventListener("pagehide", () => source.close());
}
