import { useState } from "preact/hooks";
import { Badge, Problem } from "./elements";
import { Faults } from "./faults";
import { duration } from "./format";
import { FlowMap } from "./map";
import { type Health, type Key, type Process, post } from "./server";
import { estate } from "./stream";

const TONES = { up: "good", starting: "warn", idle: "quiet", stopped: "bad", down: "bad" } as const;

export function EstateView() {
  const state = estate.value;
  if (!state) return <p class="progress">Reading the state of the estate …</p>;
  return (
    <section>
      <h1>Estate</h1>
      <p class="facts">
        <span>
          Gateway: <code>{state.gateway_url}</code>
        </span>
        <span>Rates are of the last minute. Services call each other through the gateway.</span>
      </p>
      <FlowMap flows={state.flows} processes={state.processes} />
      <Processes processes={state.processes} />
      <Keys keys={state.keys} />
      <Faults state={state.faults} />
    </section>
  );
}

function Processes({ processes }: { processes: Process[] }) {
  const [health, setHealth] = useState<Health[]>([]);
  const [busy, setBusy] = useState("");
  const [problem, setProblem] = useState("");
  const act = async (name: string, work: () => Promise<void>) => {
    setBusy(name);
    setProblem("");
    try {
      await work();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy("");
    }
  };
  const change = (service: string, action: string) =>
    act(service, async () => void (await post(`/services/${service}/${action}`)));
  return (
    <>
      <div class="heading">
        <h2>Processes</h2>
        <button
          type="button"
          disabled={busy !== ""}
          onClick={() => act("health", async () => setHealth(await post<Health[]>("/health-checks")))}
        >
          Check the health
        </button>
      </div>
      {problem && <Problem text={problem} />}
      <div class="scroll" tabIndex={0} role="region" aria-label="Processes">
        <table>
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">State</th>
              <th scope="col">Health</th>
              <th scope="col">Memory</th>
              <th scope="col">Processes</th>
              <th scope="col">Cold starts</th>
              <th scope="col">Restarts</th>
              <th scope="col">Change</th>
            </tr>
          </thead>
          <tbody>
            {processes.map((one) => (
              <tr key={one.service}>
                <th scope="row">{one.service}</th>
                <td>
                  <Badge tone={busy === one.service ? "warn" : TONES[one.state]}>
                    {busy === one.service ? "changing" : one.state}
                  </Badge>
                </td>
                <td>
                  <HealthCell health={health.find((found) => found.service === one.service)} />
                </td>
                <td>
                  {one.memory_mb ? `${Math.round(one.memory_mb)}` : "0"}
                  {one.memory_limit_mb !== null && ` of ${one.memory_limit_mb}`} MB
                </td>
                <td>{one.processes}</td>
                <td>{one.cold_starts}</td>
                <td>{one.restarts}</td>
                <td class="actions">
                  {["start", "stop", "restart"].map((action) => (
                    <button
                      key={action}
                      type="button"
                      disabled={busy !== "" || (action === "start") === (one.state === "up")}
                      aria-label={`${action} ${one.service}`}
                      onClick={() => change(one.service, action)}
                    >
                      {action}
                    </button>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function HealthCell({ health }: { health: Health | undefined }) {
  if (!health) return <span class="quiet">not checked</span>;
  return (
    <Badge tone={health.healthy ? "good" : "bad"}>
      {health.healthy ? `healthy, ${duration(health.duration_ms)}` : `failed, ${health.status ?? "no answer"}`}
    </Badge>
  );
}

function Keys({ keys }: { keys: Key[] }) {
  return (
    <>
      <h2>API keys</h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="API keys">
        <table>
          <thead>
            <tr>
              <th scope="col">Key of</th>
              <th scope="col">Used</th>
              <th scope="col">Remaining quota</th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.name}>
                <th scope="row">{key.name}</th>
                <td>{key.used.toLocaleString("en")}</td>
                <td>
                  {key.limit === null ? (
                    "no limit"
                  ) : (
                    <>
                      {(key.limit - key.used).toLocaleString("en")} of {key.limit.toLocaleString("en")} this{" "}
                      {key.period.toLowerCase()}
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
