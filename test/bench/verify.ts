import { isDeepStrictEqual } from 'node:util';
import type { Gateway } from './gateways.ts';
import { createPool, sendOnce } from './load.ts';
import { loadOf, type Scenario, scenarios } from './scenarios.ts';
import { INSTANCE_MODEL, REFUSALS_HEADER, SEEN_KEY_HEADER } from './wire.ts';

function rewritten(body: Buffer): object {
  const request: unknown = JSON.parse(body.toString());
  if (typeof request !== 'object' || request === null) throw new Error('a bench body is no object');
  const isStreamed = Reflect.get(request, 'stream') === true;
  return {
    ...request,
    model: INSTANCE_MODEL,
    ...(isStreamed && { stream_options: { include_usage: true } }),
  };
}

async function verifyScenario(gateway: Gateway, name: string, scenario: Scenario): Promise<void> {
  const pool = createPool(gateway.child.origin);
  const { status, headers, body } = await sendOnce(pool, loadOf({ ...scenario, mode: 'echo' }, gateway));
  await pool.close();

  const fail = (what: string): never => {
    throw new Error(`${gateway.name}, ${name}: ${what}`);
  };
  if (status !== 200) fail(`answered ${status}: ${body.toString().slice(0, 500)}`);
  const key = gateway.isOurs ? 'gateway' : 'client';
  if (headers[SEEN_KEY_HEADER] !== key) fail(`the upstream saw the key of ${headers[SEEN_KEY_HEADER]}`);
  const arrived = gateway.isOurs
    ? isDeepStrictEqual(JSON.parse(body.toString()), rewritten(scenario.body))
    : body.equals(scenario.body);
  if (!arrived) fail(`the upstream received another body: ${body.toString().slice(0, 500)}`);
}

/** A fallback that is never needed would be measured as a very cheap one. */
async function verifyFallback(gateway: Gateway): Promise<void> {
  const pool = createPool(gateway.child.origin);
  const load = loadOf({ ...scenarios.small, mode: 'echo' }, gateway, '/fallback');
  const first = await sendOnce(pool, load);
  const second = await sendOnce(pool, load);
  await pool.close();

  const refusals = Number(second.headers[REFUSALS_HEADER]) - Number(first.headers[REFUSALS_HEADER]);
  if (second.status !== 200 || refusals !== 1) {
    throw new Error(
      `${gateway.name}, fallback: status ${second.status} after ${refusals} refusals instead of 1`,
    );
  }
}

/** Fails unless the gateway does its job: what it sends upstream is looked at once, before anything is measured. */
export async function verify(gateway: Gateway): Promise<void> {
  for (const [name, scenario] of Object.entries(scenarios)) await verifyScenario(gateway, name, scenario);
  if (gateway.isOurs) await verifyFallback(gateway);
}
