import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { formatPath } from './json-path.ts';
import { type Placed, placedField } from './placed.ts';

/** `URL` alone would also take "http:host" and "http:\\host". */
const HTTP_URL = /^https?:\/\//i;

function findFlaw(endpoint: string): string | undefined {
  if (!HTTP_URL.test(endpoint) || !URL.canParse(endpoint)) {
    return 'must be an http or https URL, such as "https://llm.example.com"';
  }
  const { username, password, hash } = new URL(endpoint);
  if (username !== '' || password !== '') {
    return 'must not hold a user name or password; credentials belong in auth';
  }
  return hash === '' ? undefined : 'must not hold a fragment (#…)';
}

/** What is wrong with an instance's `override.endpoint` beyond what its schema says. */
export function endpointFaults(instance: Placed): readonly ConfigFault[] {
  return placedField(instance, 'override').flatMap(({ path, object: { endpoint } }) => {
    if (typeof endpoint !== 'string' || endpoint === '') return [];
    const flaw = findFlaw(endpoint);
    if (flaw === undefined) return [];
    const place = [...path, 'endpoint'];
    return [{ path: formatPath(place), message: `is ${describeValue(endpoint, place)}, ${flaw}` }];
  });
}
