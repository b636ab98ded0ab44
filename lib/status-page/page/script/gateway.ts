/** A gateway's section: its figures, its instances, the requests that moved on. */
export const gateway = /* js */ `
const OUTCOMES = /** @type {const} */ ([
  ['complete', 'Complete'],
  ['cut', 'Cut'],
  ['client_gone', 'Client gone'],
  ['timeout', 'Timed out'],
  ['rejected', 'Rejected'],
]);

/** @param {string} name */
function figure(name) {
  const value = element('dd', '');
  const node = element('div', 'figure', element('dt', '', name), value);
  return {
    node,
    /** @param {number} number */
    update: (number) => {
      setText(value, whole(number));
      node.classList.toggle('zero', number === 0);
    },
  };
}

function figuresView() {
  const inFlight = figure('In flight');
  const total = figure('Requests');
  const outcomes = OUTCOMES.map(([outcome, name]) => ({ outcome, view: figure(name) }));
  return {
    node: element('dl', 'figures', inFlight.node, total.node, ...outcomes.map(({ view }) => view.node)),
    /** @param {GatewayStatus} status */
    update({ in_flight, requests }) {
      inFlight.update(in_flight);
      total.update(Object.values(requests).reduce((sum, number) => sum + number, 0));
      for (const { outcome, view } of outcomes) view.update(requests[outcome]);
    },
  };
}

/** Such as "openai 429 → deepseek 200 in 412 ms". @param {FallbackStatus} fallback */
function fallbackLine({ at, attempts, duration_ms }) {
  const path = element('span', 'path');
  attempts.forEach(({ instance, status, error }, index) => {
    if (index > 0) path.append(element('span', 'arrow', ' → '));
    const isGood = status !== undefined && status < 400;
    path.append(element('span', 'name', instance), ' ');
    path.append(element('span', isGood ? 'result' : 'result bad', String(status ?? error ?? 'no answer')));
  });
  path.append(element('span', 'took', ' in ' + whole(duration_ms) + ' ms'));
  const time = element('time', '', clock(at));
  time.setAttribute('datetime', at);
  return element('li', '', time, path);
}

function fallbacksView() {
  const list = element('ol', 'moves');
  const none = element('p', 'note', 'No request has moved on yet.');
  let shown = '';
  return {
    node: element('div', 'recent', element('h3', '', 'Recent fallbacks'), none, list),
    /** @param {readonly FallbackStatus[]} fallbacks newest first */
    update(fallbacks) {
      none.hidden = fallbacks.length > 0;
      list.hidden = fallbacks.length === 0;
      const now = JSON.stringify(fallbacks);
      if (now === shown) return;
      shown = now;
      list.replaceChildren(...fallbacks.map(fallbackLine));
    },
  };
}

/** @param {string} name @param {number} index */
function gatewayView(name, index) {
  const id = 'gateway-' + index;
  const title = element('h2', '', name);
  title.id = id;
  const figures = figuresView();
  const instances = instancesView('Instances of ' + name, id);
  const fallbacks = fallbacksView();
  const head = element('div', 'gateway-head', title, figures.node);
  const node = element('section', 'gateway', head, instances.node, fallbacks.node);
  node.setAttribute('aria-labelledby', id);
  return {
    node,
    /** @param {GatewayStatus} status */
    update(status) {
      figures.update(status);
      instances.update(status.instances);
      fallbacks.update(status.recent_fallbacks);
    },
  };
}
`;
