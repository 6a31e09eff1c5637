// Who calls whom, drawn from left to right: a caller is left of what it calls.
import { duration } from "./format";
import type { Flow, Process } from "./server";

const BOX = { width: 128, height: 44 };
const GAP = { x: 92, y: 22 };

interface Place {
  x: number;
  y: number;
}

export function FlowMap({ flows, processes }: { flows: Flow[]; processes: Process[] }) {
  const columns = arranged(flows);
  const rows = Math.max(...columns.map((names) => names.length), 1);
  const width = columns.length * (BOX.width + GAP.x) - GAP.x + 2;
  const height = rows * (BOX.height + GAP.y) - GAP.y + 2;
  const places = new Map<string, Place>();
  columns.forEach((names, column) =>
    names.forEach((name, row) => {
      const free = height - names.length * (BOX.height + GAP.y) + GAP.y;
      places.set(name, { x: 1 + column * (BOX.width + GAP.x), y: free / 2 + row * (BOX.height + GAP.y) });
    }),
  );
  const states = new Map(processes.map((one) => [one.service, one.state]));
  return (
    <div class="scroll map" tabIndex={0} role="region" aria-label="Map of calls">
      <svg viewBox={`0 0 ${width} ${height}`} style={{ minWidth: `${width * 0.8}px` }} aria-hidden="true">
        {flows.map((flow) => (
          <Edge key={`${flow.caller} ${flow.target}`} flow={flow} from={places.get(flow.caller)!} to={places.get(flow.target)!} />
        ))}
        {[...places].map(([name, { x, y }]) => (
          <g key={name} class={`node ${states.get(name) ?? "other"}`} transform={`translate(${x} ${y})`}>
            <rect width={BOX.width} height={BOX.height} rx="8" />
            <text x={BOX.width / 2} y={states.has(name) ? 19 : 27}>
              {name}
            </text>
            {states.has(name) && (
              <text class="state" x={BOX.width / 2} y="35">
                {states.get(name)}
              </text>
            )}
          </g>
        ))}
      </svg>
      <details>
        <summary>As a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Caller</th>
              <th scope="col">Called</th>
              <th scope="col">In the last minute</th>
              <th scope="col">Errors</th>
              <th scope="col">Median</th>
              <th scope="col">Slowest</th>
            </tr>
          </thead>
          <tbody>
            {flows.map((flow) => (
              <tr key={`${flow.caller} ${flow.target}`}>
                <td>{flow.caller}</td>
                <td>{flow.target}</td>
                <td>{flow.requests}</td>
                <td>{flow.errors}</td>
                <td>{flow.requests ? duration(flow.median_ms) : "none"}</td>
                <td>{flow.requests ? duration(flow.slowest_ms) : "none"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}

function Edge({ flow, from, to }: { flow: Flow; from: Place; to: Place }) {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  const kind = flow.errors ? "failing" : flow.requests ? "active" : "silent";
  return (
    <g class={`edge ${kind}`}>
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} />
      {flow.requests > 0 && (
        <text x={x2 - 6} y={y2 - 6}>
          {flow.requests}/min{flow.errors > 0 && `, ${flow.errors} failed`}
        </text>
      )}
    </g>
  );
}

/** The names by column; each is right of all its callers, unless they call each other. */
function arranged(flows: Flow[]): string[][] {
  const columns = new Map<string, number>();
  for (const flow of flows) {
    columns.set(flow.caller, 0);
    columns.set(flow.target, 0);
  }
  for (let round = 0; round < columns.size; round++) {
    for (const { caller, target } of flows) {
      const least = columns.get(caller)! + 1;
      if (columns.get(target)! < least && least < columns.size) columns.set(target, least);
    }
  }
  const used = [...new Set(columns.values())].sort((one, other) => one - other);
  return used.map((column) =>
    [...columns].filter(([, found]) => found === column).map(([name]) => name).sort(),
  );
}
