import { ConfigError, type ConfigFault } from '../../config/config-error.ts';
import { isJsonObject } from '../../config/json.ts';
import { didYouMean } from '../../config/suggest.ts';
import { LONGEST_KEY } from '../../key-auth/key-index.ts';

/** Who may use the admin API. */
export interface AdminOptions {
  /**
   * Whoever shows one of them may change everything. At least one; each has 1 to 4,096 characters, none of them a blank.
   * One that is unset, as a variable of the environment may be, is a `ConfigError`.
   */
  readonly keys: readonly (string | undefined)[];
}

const OPTION_NAMES = ['keys'];

function problemOf(key: unknown): string | undefined {
  if (key === undefined) return 'is not set: is a variable missing from the environment?';
  if (typeof key !== 'string') return 'must be a string';
  if (key === '') return 'is empty: everybody could present it';
  if (/\s/.test(key)) return 'must not hold blanks or line breaks: no request could present it';
  if (key.length > LONGEST_KEY) return `must not be longer than ${LONGEST_KEY} characters`;
  return undefined;
}

function keyFaults(keys: readonly unknown[]): readonly ConfigFault[] {
  if (keys.length === 0) return [{ path: 'options.keys', message: 'must be a list of at least one key' }];
  return keys.flatMap((key, index) => {
    const message = problemOf(key);
    return message === undefined ? [] : [{ path: `options.keys[${index}]`, message }];
  });
}

function optionFaults(options: object): readonly ConfigFault[] {
  return Object.keys(options)
    .filter((name) => !OPTION_NAMES.includes(name))
    .map((name) => ({
      path: `options.${name}`,
      message: `is not an option of admin${didYouMean(name, OPTION_NAMES)}`,
    }));
}

/**
 * The keys among the options.
 *
 * @throws ConfigError where there is none, one that is unset, empty or impossible to send, or a misspelt option
 */
export function readAdminKeys(options: unknown): readonly string[] {
  const given = isJsonObject(options) ? options : {};
  const keys: readonly unknown[] = Array.isArray(given.keys) ? given.keys : [];
  const faults = [...optionFaults(given), ...keyFaults(keys)];
  if (faults.length > 0) throw new ConfigError(faults);
  return keys.filter((key) => typeof key === 'string');
}
