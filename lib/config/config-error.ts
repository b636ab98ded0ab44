/** One thing that is wrong in a configuration. */
export interface ConfigFault {
  /** Where, as one would write it in JavaScript: `instances[0].auth.header["x y"]`. Empty: the whole of it. */
  readonly path: string;
  /** What was found there and what is allowed. Never holds what may be secret: an `auth`, a key, a password. */
  readonly message: string;
}

function headline(count: number): string {
  return count === 1 ? 'The configuration has a fault:' : `The configuration has ${count} faults:`;
}

function asLine({ path, message }: ConfigFault): string {
  return `  ${path === '' ? 'the configuration' : path}: ${message}`;
}

/** Thrown when a configuration is mounted, never later. Its message holds every fault, a line each. */
export class ConfigError extends Error {
  readonly errors: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super([headline(faults.length), ...faults.map(asLine)].join('\n'));
    this.name = 'ConfigError';
    this.errors = faults;
  }
}
