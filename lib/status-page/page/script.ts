import { elements } from './script/elements.ts';
import { format } from './script/format.ts';
import { gateway } from './script/gateway.ts';
import { graphs } from './script/graphs.ts';
import { identity } from './script/identity.ts';
import { instances } from './script/instances.ts';
import { live } from './script/live.ts';
import { overview } from './script/overview.ts';
import { trafficCells } from './script/traffic-cells.ts';
import { usageCells } from './script/usage-cells.ts';

/**
 * What runs in the browser: one module, in parts that stand on those before them. It is text here, since the package
 * is built by the compiler alone; a test has the compiler check it against the types of `status()`.
 */
export const script = [
  format,
  elements,
  graphs,
  identity,
  trafficCells,
  usageCells,
  instances,
  gateway,
  overview,
  live,
].join('');
