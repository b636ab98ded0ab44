import type { Logger } from '../host.ts';
import { ConfigError, type ConfigFault } from './config-error.ts';
import { formatPath, type JsonPath } from './json-path.ts';

/** Loads the parts of a configuration that loaders of their own take, and gathers what those have against them. */
export interface PartLoader {
  /** The faults so far, with their places in the whole configuration. */
  readonly faults: readonly ConfigFault[];
  /** Adds a fault that needed no loader to be found. */
  refuse(path: JsonPath, message: string): void;
  /** What a loader makes of the part at `path`; `undefined` where that has faults. */
  load<Loaded>(path: JsonPath, load: (logger: Logger) => Loaded): Loaded | undefined;
}

function join(prefix: string, path: string): string {
  if (prefix === '' || path === '') return prefix + path;
  return path.startsWith('[') ? prefix + path : `${prefix}.${path}`;
}

/** What writes to the logger as long as it loads one part after the other. */
interface PlacedLogger extends Logger {
  /** Where the part that is being loaded lies. */
  path: JsonPath;
}

/** A logger to which the places of a part become places in the whole. One for all: parts may be ten thousand. */
function loggerBelow(logger: Logger): PlacedLogger {
  const place = (data: object): object =>
    'path' in data && typeof data.path === 'string'
      ? { ...data, path: join(formatPath(below.path), data.path) }
      : data;
  const below: PlacedLogger = {
    path: [],
    debug: (data, message) => logger.debug(place(data), message),
    info: (data, message) => logger.info(place(data), message),
    warn: (data, message) => logger.warn(place(data), message),
    error: (data, message) => logger.error(place(data), message),
  };
  return below;
}

export function makePartLoader(logger: Logger): PartLoader {
  const faults: ConfigFault[] = [];
  const below = loggerBelow(logger);
  return {
    faults,
    refuse(path, message) {
      faults.push({ path: formatPath(path), message });
    },
    load(path, load) {
      const outer = below.path;
      below.path = path;
      try {
        return load(below);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        const prefix = formatPath(path);
        for (const fault of error.errors) faults.push({ ...fault, path: join(prefix, fault.path) });
        return undefined;
      } finally {
        below.path = outer;
      }
    },
  };
}
