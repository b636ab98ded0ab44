/** The table of a gateway's instances, by tiers. */
export const instances = /* js */ `
const COLUMNS = /** @type {const} */ ([
  ['Instance', 'identity'],
  ['Share of its tier', 'share'],
  ['In flight', 'number'],
  ['Attempts', 'number'],
  ['Errors', 'errors'],
  ['Fallbacks', 'number'],
  ['Tokens', 'number'],
  ['Quota left', 'quota'],
  ['Latency, ms', 'number'],
  ['First token, ms', 'number'],
  ['Last 15 minutes, peak', 'history'],
]);

/** @param {string} id */
function instanceRow(id) {
  const latency = percentilesCell('latency', 'Latency, ms');
  const firstToken = percentilesCell('first-token', 'First token, ms');
  const whoIsIt = identity();
  const columns = [
    whoIsIt,
    shareCell(),
    inFlightCell(),
    attemptsCell(),
    errorsCell(),
    fallbacksCell(),
    tokensCell(),
    quotaCell(),
    {
      node: latency.node,
      /** @param {InstanceStatus} instance */
      update: (instance) => latency.update(instance.latency_ms),
    },
    {
      node: firstToken.node,
      /** @param {InstanceStatus} instance */
      update: (instance) => firstToken.update(instance.time_to_first_token_ms),
    },
    minutesCell(),
  ];
  const node = element('tr', 'instance', ...columns.map((column) => column.node));
  node.setAttribute('role', 'row');
  node.id = id;
  return {
    node,
    /** @param {InstanceStatus} instance */
    update(instance) {
      node.dataset.state = instance.health.state;
      for (const column of columns) column.update(instance);
    },
  };
}

/** @param {string} caption */
function instanceTable(caption) {
  const heads = COLUMNS.map(([title, className]) => {
    const head = element('th', className, title);
    head.setAttribute('scope', 'col');
    head.setAttribute('role', 'columnheader');
    return head;
  });
  const headRow = element('tr', '', ...heads);
  headRow.setAttribute('role', 'row');
  const head = element('thead', '', headRow);
  head.setAttribute('role', 'rowgroup');
  const table = element('table', 'instances', element('caption', 'unseen', caption), head);
  // Blocks, as which a phone shows its parts, would no longer be a table to a screen reader.
  table.setAttribute('role', 'table');
  return table;
}

/** @param {number} tier */
function tierHead(tier) {
  const detail = element('span', 'sub');
  const title = element('th', '', 'Tier ' + tier, ' ', detail);
  title.setAttribute('scope', 'rowgroup');
  title.setAttribute('role', 'rowheader');
  title.setAttribute('colspan', String(COLUMNS.length));
  const row = element('tr', 'tier', title);
  row.setAttribute('role', 'row');
  return {
    row,
    /** @param {readonly InstanceStatus[]} instances of this tier */
    update(instances) {
      const order = tier === 0 ? 'tried first' : 'tried when those above are out';
      setText(detail, ['priority ' + instances[0]?.priority, order, countHealth(instances)].join(' · '));
    },
  };
}

/** @param {readonly InstanceStatus[]} instances */
function countHealth(instances) {
  /** @param {HealthState} state */
  const count = (state) => instances.filter((instance) => instance.health.state === state).length;
  const [healthy, unhealthy, unchecked] = [count('healthy'), count('unhealthy'), count('unchecked')];
  if (unchecked === instances.length) return 'not checked';
  const parts = [whole(healthy) + ' healthy'];
  if (unhealthy > 0) parts.push(whole(unhealthy) + ' unhealthy');
  if (unchecked > 0) parts.push(whole(unchecked) + ' not checked');
  return parts.join(', ');
}

/** What a change of would need other rows. @param {readonly InstanceStatus[]} instances */
function shapeOf(instances) {
  return JSON.stringify(instances.map(({ name, tier }) => [name, tier]));
}

/** @param {string} caption @param {string} id */
function instancesView(caption, id) {
  const node = element('div', 'sheet');
  let shape = '';
  /** @type {{ tier: number, head: ReturnType<typeof tierHead> }[]} */
  let tiers = [];
  /** @type {ReturnType<typeof instanceRow>[]} */
  let rows = [];

  /** @param {readonly InstanceStatus[]} instances */
  function rebuild(instances) {
    const table = instanceTable(caption);
    rows = instances.map((_instance, index) => instanceRow(id + '-' + index));
    tiers = [...new Set(instances.map(({ tier }) => tier))]
      .sort((one, other) => one - other)
      .map((tier) => ({ tier, head: tierHead(tier) }));
    for (const { tier, head } of tiers) {
      const own = rows.filter((_row, index) => instances[index]?.tier === tier);
      const body = element('tbody', '', head.row, ...own.map((row) => row.node));
      body.setAttribute('role', 'rowgroup');
      table.append(body);
    }
    node.replaceChildren(table);
  }

  return {
    node,
    /** @param {readonly InstanceStatus[]} instances */
    update(instances) {
      if (shapeOf(instances) !== shape) rebuild(instances);
      shape = shapeOf(instances);
      node.classList.toggle('without-quota', instances.every(({ quota }) => quota === undefined));
      instances.forEach((instance, index) => rows[index]?.update(instance));
      for (const { tier, head } of tiers) head.update(instances.filter((instance) => instance.tier === tier));
    },
  };
}
`;
