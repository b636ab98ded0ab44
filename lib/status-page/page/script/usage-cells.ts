/** What an instance's answers cost: tokens, quota and time. */
export const usageCells = /* js */ `
function tokensCell() {
  const total = element('span', 'main');
  const prompt = element('span', 'sub');
  const completion = element('span', 'sub');
  return {
    node: cell('tokens', 'Tokens', total, prompt, completion),
    /** @param {InstanceStatus} instance */
    update({ tokens }) {
      setText(total, whole(tokens.total));
      setLine(prompt, tokens.prompt === 0 ? '' : whole(tokens.prompt) + ' in');
      setLine(completion, tokens.completion === 0 ? '' : whole(tokens.completion) + ' out');
    },
  };
}

function quotaCell() {
  const left = element('span', 'main');
  const limit = element('span', 'sub');
  const level = bar('level');
  const reset = relativeTime();
  const resets = element('span', 'sub', 'resets ', reset.node);
  return {
    node: cell('quota', 'Quota left', left, level.node, limit, resets),
    /** @param {InstanceStatus} instance */
    update({ quota }) {
      setText(left, quota === undefined ? '–' : whole(quota.remaining));
      left.classList.toggle('bad', quota !== undefined && quota.remaining <= 0);
      setLine(limit, quota === undefined ? '' : 'of ' + whole(quota.limit));
      level.node.hidden = quota === undefined;
      if (quota !== undefined) level.update(quota.limit > 0 ? quota.remaining / quota.limit : 0);
      resets.hidden = quota?.resets_at === undefined;
      if (quota?.resets_at !== undefined) reset.update(quota.resets_at);
    },
  };
}

const PERCENTILES = /** @type {const} */ (['p50', 'p95', 'p99']);

/** @param {string} className @param {string} label */
function percentilesCell(className, label) {
  const lines = PERCENTILES.map((name) => ({ name, value: element('span', 'value') }));
  const node = cell(
    'percentiles ' + className,
    label,
    ...lines.map(({ name, value }) => element('span', 'percentile', element('span', 'part', name), ' ', value)),
  );
  return {
    node,
    /** @param {Percentiles | undefined} percentiles */
    update(percentiles) {
      for (const { name, value } of lines) {
        setText(value, percentiles === undefined ? '–' : whole(percentiles[name]));
      }
    },
  };
}

function minutesCell() {
  const latency = sparkline('line', 'Latency', ' ms');
  const tokens = sparkline('columns', 'Tokens', '/min');
  return {
    node: cell('history', 'Last 15 minutes, peak', latency.node, tokens.node),
    /** @param {InstanceStatus} instance */
    update({ minutes }) {
      latency.update(minutes.map((minute) => minute.latency_ms));
      tokens.update(minutes.map((minute) => minute.tokens));
    },
  };
}
`;
