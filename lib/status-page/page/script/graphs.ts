/** Bars and sparklines. A width is set through the CSSOM: the policy lets no style attribute through. */
export const graphs = /* js */ `
const SLOTS = 15;
const SLOT = 8;
const HEIGHT = 24;

/** @param {string} className */
function bar(className) {
  const name = element('span', 'part');
  const fill = element('span', 'fill');
  const value = element('span', 'value');
  const node = element('span', 'bar ' + className, name, element('span', 'track', fill), value);
  return {
    node,
    /** @param {number | undefined} share @param {string} [amount] @param {string} [called] */
    update(share, amount, called) {
      fill.style.width = Math.min(100, Math.max(0, (share ?? 0) * 100)) + '%';
      setText(value, amount ?? '');
      setText(name, called ?? '');
    },
  };
}

/** The last minutes end at the right edge, however few there are. @param {number} index @param {number} count */
function slotStart(index, count) {
  return (SLOTS - count + index) * SLOT;
}

/** Minutes without a value interrupt the line. @param {(number | undefined)[]} values @param {number} peak */
function linePath(values, peak) {
  let path = '';
  let isDown = false;
  values.forEach((value, index) => {
    if (value === undefined) {
      isDown = false;
      return;
    }
    const x = slotStart(index, values.length) + SLOT / 2;
    const y = HEIGHT - 3 - (value / (peak || 1)) * (HEIGHT - 6);
    // The short stroke makes a minute that stands alone a dot.
    path += (isDown ? 'L' : 'M') + x + ' ' + y.toFixed(1) + 'h.01';
    isDown = true;
  });
  return path;
}

/** @param {(number | undefined)[]} values @param {number} peak */
function columnPath(values, peak) {
  return values
    .map((value, index) => {
      if (!value) return '';
      const height = Math.max(1, (value / (peak || 1)) * (HEIGHT - 2));
      const x = slotStart(index, values.length) + 1;
      return 'M' + x + ' ' + HEIGHT + 'v-' + height.toFixed(1) + 'h' + (SLOT - 2) + 'v' + height.toFixed(1) + 'z';
    })
    .join('');
}

/**
 * @param {'line' | 'columns'} shape
 * @param {string} what
 * @param {string} unit
 */
function sparkline(shape, what, unit) {
  const path = drawing('path', { class: shape, 'vector-effect': 'non-scaling-stroke' });
  const graph = drawing('svg', {
    class: 'spark',
    viewBox: '0 0 ' + SLOTS * SLOT + ' ' + HEIGHT,
    preserveAspectRatio: 'none',
    role: 'img',
  });
  graph.append(path);
  const scale = element('span', 'scale');
  const node = element('span', 'minutes ' + shape, graph, scale);
  return {
    node,
    /** @param {(number | undefined)[]} values */
    update(values) {
      const peak = Math.max(0, ...values.map((value) => value ?? 0));
      const last = values.findLast((value) => value !== undefined);
      const isEmpty = last === undefined || (shape === 'columns' && peak === 0);
      setAttribute(path, 'd', shape === 'line' ? linePath(values, peak) : columnPath(values, peak));
      setText(scale, isEmpty ? 'none yet' : whole(peak) + unit);
      const summary = isEmpty ? 'none yet' : 'last ' + whole(last) + unit + ', peak ' + whole(peak) + unit;
      const label = what + ' by minute: ' + summary;
      setAttribute(graph, 'aria-label', label);
      // There is no room for it: whoever sees the graph is told by pointing at it.
      setAttribute(node, 'title', label);
    },
  };
}
`;
