import type { ConfigFault } from '../../config/config-error.ts';

/** An answer of the admin API that is no success. Its message is for the administrator and holds no secret. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: 400 | 401 | 404 | 405 | 409 | 503;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: AdminError['status'], message: string, headers: AdminError['headers'] = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** A megabyte can be wrong in a hundred thousand places. */
const MAX_FAULTS_SHOWN = 20;

/** Says on one line where something is wrong, and what. */
export function sentenceOf(faults: readonly ConfigFault[]): string {
  const shown = faults
    .slice(0, MAX_FAULTS_SHOWN)
    .map(({ path, message }) => `${path === '' ? 'the resource' : path}: ${message}`);
  if (faults.length > MAX_FAULTS_SHOWN) shown.push(`and ${faults.length - MAX_FAULTS_SHOWN} more`);
  return shown.join('; ');
}
