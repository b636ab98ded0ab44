import { ConfigError, type ConfigFault } from '../config/config-error.ts';
import { didYouMean } from '../config/suggest.ts';
import type { NamedSource, StatusSource } from './status-document.ts';

export interface StatusPageOptions {
  /** Titles of the middlewares, in their order. Default: `gateway 1`, `gateway 2` …; `route {id}` for a router's. */
  readonly names?: readonly string[];
}

const OPTION_NAMES = ['names'];

function isSource(argument: StatusSource | StatusPageOptions): argument is StatusSource {
  return 'status' in argument && typeof argument.status === 'function';
}

function optionFaults(options: object): readonly ConfigFault[] {
  return Object.keys(options)
    .filter((name) => !OPTION_NAMES.includes(name))
    .map((name) => ({
      path: `options.${name}`,
      message: `is not an option of statusPage${didYouMean(name, OPTION_NAMES)}`,
    }));
}

function nameFaults(names: unknown, count: number): readonly ConfigFault[] {
  const path = 'options.names';
  if (names === undefined) return [];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    return [{ path, message: 'must be a list of strings' }];
  }
  if (names.length <= count) return [];
  return [{ path, message: `has ${names.length} names, but there are ${count} middlewares` }];
}

/** What cannot be told from an argument's type: JavaScript has callers, too. */
function argumentFaults(values: readonly unknown[]): readonly ConfigFault[] {
  return values.flatMap((value, index) => {
    const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
    if (isObject && 'status' in value && typeof value.status === 'function') return [];
    const isOptions = isObject && typeof value === 'object' && index === values.length - 1;
    if (isOptions && !('status' in value)) return [];
    return [
      { path: `arguments[${index}]`, message: 'is no middleware with status(), such as aiProxyMulti makes' },
    ];
  });
}

/**
 * Tells the middlewares from the options behind them.
 *
 * @throws ConfigError on an argument that is neither, a misspelt option, more names than middlewares
 */
export function readArguments(values: readonly (StatusSource | StatusPageOptions)[]): readonly NamedSource[] {
  const wrong = argumentFaults(values);
  if (wrong.length > 0) throw new ConfigError(wrong);
  const sources = values.filter(isSource);
  const [options = {}] = values.flatMap((value) => (isSource(value) ? [] : value));
  const faults = [...optionFaults(options), ...nameFaults(options.names, sources.length)];
  if (sources.length === 0) {
    faults.push({ path: 'arguments', message: 'hold no middleware: statusPage(gateway) shows one' });
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return sources.map((source, index) => ({ name: options.names?.[index], source }));
}
