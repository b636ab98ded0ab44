import type { Gateway } from './gateways.ts';
import type { Measure } from './measures.ts';
import type { Results } from './rounds.ts';
import { median, type Ratio, ratioOf } from './statistics.ts';

/** What every ratio is taken to. */
const BASELINE = 'Express+HPM';

/** One measure of one gateway. */
interface Cell {
  rounds: number[];
  median: number;
  /** To the baseline: in the same row, or for a measure of ours alone in the row it is compared with. */
  ratio?: Ratio;
  /** To ours in the row it is compared with. */
  ratioToOurs?: Ratio;
}

export interface Row {
  title: string;
  unit: Measure['unit'];
  table: Measure['table'];
  comparedWith?: string;
  cells: Record<string, Cell>;
}

function cellOf(
  gateway: string,
  own: Map<string, number[]>,
  peer: Map<string, number[]> | undefined,
): Cell | undefined {
  const rounds = own.get(gateway);
  if (rounds === undefined) return undefined;
  const baseline = own.get(BASELINE) ?? peer?.get(BASELINE);
  const plain = peer?.get(gateway);
  return {
    rounds,
    median: median(rounds),
    ...(baseline && { ratio: ratioOf(rounds, baseline) }),
    ...(plain && { ratioToOurs: ratioOf(rounds, plain) }),
  };
}

/** Every measure as plain data: what `--json` prints. */
export function rowsOf(results: Results, gateways: readonly Gateway[]): Row[] {
  const byTitle = new Map([...results].map(([measure, figures]) => [measure.title, figures]));
  return [...results].map(([{ title, unit, table, comparedWith }, figures]) => {
    const peer = comparedWith === undefined ? undefined : byTitle.get(comparedWith);
    const cells = gateways.flatMap(({ name }) => {
      const cell = cellOf(name, figures, peer);
      return cell === undefined ? [] : [[name, cell] as const];
    });
    return {
      title,
      unit,
      table,
      ...(comparedWith !== undefined && { comparedWith }),
      cells: Object.fromEntries(cells),
    };
  });
}

/** Three significant digits, never as a power of ten. */
function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

const times = (ratio: Ratio | undefined): string =>
  ratio === undefined ? '—' : `**${ratio.median.toFixed(2)}×**`;
const range = (ratio: Ratio | undefined): string =>
  ratio === undefined ? '—' : `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;

function tableOf(head: readonly string[], lines: readonly string[][]): string {
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function section(heading: string, rows: readonly Row[], gateways: readonly Gateway[]): string[] {
  const first = rows[0];
  if (first === undefined) return [];
  const shown = gateways.filter(({ name }) => rows.some((row) => name in row.cells));
  const compared = shown.filter(({ isOurs }) => isOurs);
  const head = [
    heading,
    ...shown.map(({ name }) => name),
    ...compared.flatMap(({ name }) => [`${name} ÷ ${BASELINE}`, '(min–max)']),
  ];
  const lines = rows.map((row) => [
    row.title,
    ...shown.map(({ name }) => (row.cells[name] ? figure(row.cells[name].median) : '—')),
    ...compared.flatMap(({ name }) => [times(row.cells[name]?.ratio), range(row.cells[name]?.ratio)]),
  ]);
  return [tableOf(head, lines)];
}

function comparisons(rows: readonly Row[]): string[] {
  return rows.flatMap(({ title, comparedWith, cells }) =>
    Object.entries(cells).flatMap(([name, { ratioToOurs }]) =>
      ratioToOurs === undefined
        ? []
        : [`${title} ÷ ${comparedWith}, both ${name}: ${times(ratioToOurs)} (${range(ratioToOurs)})`],
    ),
  );
}

/** Markdown, fit for the README. */
export function markdownOf(rows: readonly Row[], gateways: readonly Gateway[]): string {
  const of = (table: Measure['table']): Row[] => rows.filter((row) => row.table === table);
  return [
    ...section('CPU of the gateway’s process, µs', of('cpu'), gateways),
    ...comparisons(rows),
    ...section('memory, KB', of('memory'), gateways),
    ...section('latency, one request at a time, ms', of('latency'), gateways),
  ].join('\n\n');
}
