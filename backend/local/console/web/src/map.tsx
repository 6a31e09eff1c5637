// Who calls whom, drawn from left to right: a caller is left of what it calls.
import { duration } from "./format";
import type { Flow, Process } from "./server";

const WIDTH = 128;
const GAP = { x: 104, y: 20 };
const PORT = 15; // the height of one arriving edge and its label

interface Place {
  x: number;
  y: number;
  height: number;
}

export function FlowMap({ flows, processes }: { flows: Flow[]; processes: Process[] }) {
  const states = new Map(processes.map((one) => [one.service, one.state]));
  const columns = arranged(flows, new Set(states.keys()));
  const arriving = (name: string) => flows.filter((flow) => flow.target === name);
  const heightOf = (name: string) => Math.max(44, arriving(name).length * PORT + 12);
  const heights = columns.map((names) => names.reduce((sum, name) => sum + heightOf(name) + GAP.y, -GAP.y));
  const width = columns.length * (WIDTH + GAP.x) - GAP.x + 2;
  const height = Math.max(...heights, 44) + 2;
  const places = new Map<string, Place>();
  columns.forEach((names, column) => {
    let y = (height - heights[column]!) / 2;
    for (const name of names) {
      places.set(name, { x: 1 + column * (WIDTH + GAP.x), y, height: heightOf(name) });
      y += heightOf(name) + GAP.y;
    }
  });
  return (
    <div class="scroll map" tabIndex={0} role="region" aria-label="Map of calls">
      <svg viewBox={`0 0 ${width} ${height}`} style={{ minWidth: `${width * 0.8}px` }} aria-hidden="true">
        {flows.map((flow) => (
          <Edge
            key={`${flow.caller} ${flow.target}`}
            flow={flow}
            from={places.get(flow.caller)!}
            to={places.get(flow.target)!}
            port={arriving(flow.target).indexOf(flow) - (arriving(flow.target).length - 1) / 2}
          />
        ))}
        {[...places].map(([name, { x, y, height: own }]) => (
          <g key={name} class={`node ${states.get(name) ?? "other"}`} transform={`translate(${x} ${y})`}>
            <rect width={WIDTH} height={own} rx="8" />
            <text x={WIDTH / 2} y={own / 2 + (states.has(name) ? -3 : 5)}>
              {name}
            </text>
            {states.has(name) && (
              <text class="state" x={WIDTH / 2} y={own / 2 + 14}>
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

function Edge({ flow, from, to, port }: { flow: Flow; from: Place; to: Place; port: number }) {
  const [x1, y1] = [from.x + WIDTH, from.y + from.height / 2];
  const [x2, y2] = [to.x, to.y + to.height / 2 + port * PORT];
  const bend = Math.max(30, (x2 - x1) / 2);
  const kind = flow.errors ? "failing" : flow.requests ? "active" : "silent";
  return (
    <g class={`edge ${kind}`}>
      <path d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} />
      {flow.requests > 0 && (
        <text x={x2 - 6} y={y2 - 3}>
          {flow.requests}/min{flow.errors > 0 && `, ${flow.errors} failed`}
        </text>
      )}
    </g>
  );
}

/** The names by column; each is right of all its callers, unless they call each other. What is no
 * service, such as S3, is in the last column. */
function arranged(flows: Flow[], services: Set<string>): string[][] {
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
  const callers = new Set(flows.map((flow) => flow.caller));
  const last = Math.max(...columns.values());
  for (const name of columns.keys()) {
    if (!services.has(name) && !callers.has(name)) columns.set(name, last);
  }
  const used = [...new Set(columns.values())].sort((one, other) => one - other);
  return used.map((column) =>
    [...columns].filter(([, found]) => found === column).map(([name]) => name).sort(),
  );
}
