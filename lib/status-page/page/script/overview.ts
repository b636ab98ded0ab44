/** What one has to know before anything else: in the page's head, in its title, in its icon, and said aloud. */
export const overview = /* js */ `
const MOST_NAMED = 5;

/** @param {readonly NamedStatus[]} gateways */
function allInstances(gateways) {
  return gateways.flatMap(({ name, status }, gateway) =>
    status.instances.map((instance, index) => ({
      instance,
      key: JSON.stringify([gateway, instance.name]),
      title: gateways.length > 1 ? name + ' / ' + instance.name : instance.name,
      id: 'gateway-' + gateway + '-' + index,
    })),
  );
}

/** @param {ReturnType<typeof allInstances>} down */
function linksTo(down) {
  return down.slice(0, MOST_NAMED).flatMap(({ title, id }, index) => {
    const link = element('a', '', title);
    link.setAttribute('href', '#' + id);
    return index === 0 ? [link] : [', ', link];
  });
}

let overviewShown = '';

/** @param {readonly NamedStatus[]} gateways */
function showOverview(gateways) {
  const all = allInstances(gateways);
  const down = all.filter(({ instance }) => instance.health.state === 'unhealthy');
  const inFlight = gateways.reduce((sum, { status }) => sum + status.in_flight, 0);
  const counts = [
    counted(all.length, 'instance'),
    countHealth(all.map(({ instance }) => instance)),
    counted(inFlight, 'request') + ' in flight',
  ].join(' · ');
  setText(find('counts'), counts);
  document.title = down.length > 0 ? whole(down.length) + ' unhealthy · Gateway status' : 'Gateway status';
  showIcon(down.length > 0 ? 'unhealthy' : 'healthy');
  const named = JSON.stringify(down.map(({ title }) => title));
  if (named === overviewShown) return;
  overviewShown = named;
  const rest = down.length > MOST_NAMED ? ' and ' + whole(down.length - MOST_NAMED) + ' more' : '';
  const alarm = find('alarm');
  alarm.replaceChildren('Unhealthy: ', ...linksTo(down), rest);
  alarm.hidden = down.length === 0;
}

const ICON_SHAPES = {
  healthy: '<circle cx="8" cy="8" r="6" fill="#1f9d61"/>',
  unhealthy: '<path d="M8 1l7 13H1z" fill="#d13a3a"/>',
  disconnected: '<circle cx="8" cy="8" r="5" fill="none" stroke="#8a8f98" stroke-width="3"/>',
};

/** @param {keyof typeof ICON_SHAPES} state */
function showIcon(state) {
  const drawn = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' + ICON_SHAPES[state] + '</svg>';
  setAttribute(find('icon'), 'href', 'data:image/svg+xml,' + encodeURIComponent(drawn));
}

/** @type {Map<string, HealthState>} */
let statesBefore = new Map();

/**
 * Tells whoever cannot see it that an instance has changed; never what is so from the start.
 *
 * @param {readonly NamedStatus[]} gateways
 */
function announceChanges(gateways) {
  const all = allInstances(gateways);
  const changed = all.filter(({ key, instance }) => {
    const before = statesBefore.get(key);
    return before !== undefined && before !== instance.health.state;
  });
  statesBefore = new Map(all.map(({ key, instance }) => [key, instance.health.state]));
  if (changed.length === 0) return;
  const said = changed.map(({ title, instance }) => title + ': ' + HEALTH_WORDS[instance.health.state].toLowerCase());
  setText(find('announcements'), said.join(', '));
}
`;
