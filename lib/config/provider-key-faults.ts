import { X509Certificate } from 'node:crypto';
import { withheldHeaders } from '../upstream/request-headers.ts';
import { apiBaseFlaw } from './api-base.ts';
import type { ConfigFault } from './config-error.ts';
import { describeValue } from './describe-value.ts';
import { fillReferences } from './fill-references.ts';
import { isHeaderValue } from './header-value.ts';
import { formatPath } from './json-path.ts';
import type { LoadOptions } from './load-options.ts';
import { type Placed, placedField } from './placed.ts';
import { hasSecretReference } from './references.ts';

/** Those of one connection, those that the gateway sets by itself, and those that hold credentials. */
const RESERVED_HEADERS = withheldHeaders([], () => false);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function headerFlaw(value: string): string | undefined {
  return isHeaderValue(value) ? undefined : 'holds a character that no header may hold, such as a line break';
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    // What it throws is OpenSSL's view of its insides; that it is none is all there is to say.
    return false;
  }
}

function certificateFlaw(text: string): string | undefined {
  const certificates = text.match(CERTIFICATE) ?? [];
  const isFine = certificates.length > 0 && certificates.every(isCertificate);
  return isFine ? undefined : 'must be one or more certificates as PEM';
}

/** What is looked at once, at mount, cannot wait for a secret manager. */
function fillNow(place: Placed, name: string): readonly ConfigFault[] {
  const value = place.object[name];
  if (typeof value !== 'string' || !hasSecretReference(value)) {
    return fillReferences(place, name, { hasSecretResolver: true });
  }
  return [{ path: formatPath([...place.path, name]), message: 'must not refer to $secret://' }];
}

/** Only what has been filled in can be looked at, and what a variable holds is not shown. */
function fillAndCheck(
  place: Placed,
  name: string,
  findFlaw: (text: string) => string | undefined,
  fill: (place: Placed, name: string) => readonly ConfigFault[],
): readonly ConfigFault[] {
  const written = place.object[name];
  const faults = fill(place, name);
  const value = place.object[name];
  const flaw = faults.length === 0 && typeof value === 'string' ? findFlaw(value) : undefined;
  if (flaw === undefined) return faults;
  const path = [...place.path, name];
  const shown = value === written ? describeValue(value, path) : undefined;
  return [{ path: formatPath(path), message: shown === undefined ? flaw : `is ${shown}, ${flaw}` }];
}

function rivalFaults({ path, object: { api_key, secret } }: Placed): readonly ConfigFault[] {
  if (api_key === undefined || secret === undefined || api_key === secret) return [];
  return [
    { path: formatPath([...path, 'secret']), message: 'differs from api_key, which is another name of it' },
  ];
}

function nameFlaw(name: string, earlier: ReadonlySet<string>): string | undefined {
  const lower = name.toLowerCase();
  if (!HEADER_NAME.test(name)) return 'is no name that a header may have';
  if (RESERVED_HEADERS.has(lower)) return 'is not allowed, since the gateway or the api_key decides it';
  return earlier.has(lower) ? 'is there twice, since capitals make no difference' : undefined;
}

function defaultHeaderFaults(headers: Placed, options: LoadOptions): readonly ConfigFault[] {
  const earlier = new Set<string>();
  return Object.keys(headers.object).flatMap((name) => {
    const flaw = nameFlaw(name, earlier);
    earlier.add(name.toLowerCase());
    if (flaw !== undefined) return [{ path: formatPath([...headers.path, name]), message: flaw }];
    return fillAndCheck(headers, name, headerFlaw, (place) => fillReferences(place, name, options));
  });
}

function rangeFaults({ path, object }: Placed): readonly ConfigFault[] {
  const { temperature_min: lowest, temperature_max: highest } = object;
  if (typeof lowest !== 'number' || typeof highest !== 'number' || lowest <= highest) return [];
  return [{ path: formatPath([...path, 'temperature_min']), message: 'must not be above temperature_max' }];
}

/** What is wrong with one provider key beyond what its schema says. Fills in its `$env://` references, in place. */
export function providerKeyFaults(key: Placed, options: LoadOptions): readonly ConfigFault[] {
  const fill = (place: Placed, name: string): readonly ConfigFault[] => fillReferences(place, name, options);
  const request = placedField(key, 'request');
  return [
    ...fillAndCheck(key, 'api_key', headerFlaw, fill),
    ...fillAndCheck(key, 'secret', headerFlaw, fill),
    ...rivalFaults(key),
    ...fillAndCheck(key, 'api_base', apiBaseFlaw, fillNow),
    ...placedField(key, 'tls').flatMap((tls) => fillAndCheck(tls, 'ca_cert', certificateFlaw, fillNow)),
    ...request
      .flatMap((each) => placedField(each, 'default_headers'))
      .flatMap((headers) => defaultHeaderFaults(headers, options)),
    ...request.flatMap((each) => placedField(each, 'param_constraints')).flatMap(rangeFaults),
  ];
}
