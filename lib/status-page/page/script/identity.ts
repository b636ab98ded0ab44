/** Which instance it is, and how it is. */
export const identity = /* js */ `
const HEALTH_WORDS = { healthy: 'Healthy', unhealthy: 'Unhealthy', unchecked: 'Not checked' };

/** Such as "Unhealthy for 2 min, status 503": the colour and the mark say nothing that the words do not. */
function healthLine() {
  const word = element('span', 'word');
  const since = relativeTime('for ');
  const duration = element('span', '', ' ', since.node);
  const reason = element('span', 'reason');
  const node = element('span', 'health', element('span', 'mark'), word, duration, reason);
  return {
    node,
    /** @param {InstanceStatus['health']} health */
    update({ state, since: changedAt, reason: because }) {
      node.dataset.state = state;
      setText(word, HEALTH_WORDS[state]);
      duration.hidden = changedAt === undefined;
      if (changedAt !== undefined) since.update(changedAt);
      setLine(reason, because === undefined ? '' : ', ' + because);
    },
  };
}

/** Those of a host name with several, the ones that are not healthy by name. @param {readonly AddressHealth[]} all */
function describeAddresses(all) {
  if (all.length < 2) return [];
  const others = all.filter(({ state }) => state !== 'healthy');
  const lines = others.map(({ address, state, reason }) => {
    const because = reason === undefined ? '' : ', ' + reason;
    return address + ' ' + HEALTH_WORDS[state].toLowerCase() + because;
  });
  return [whole(all.length - others.length) + ' of ' + whole(all.length) + ' addresses healthy', ...lines];
}

/** @param {NonNullable<InstanceStatus['cooldown']>} cooldown */
function describeCooldown({ until, reason }) {
  return 'Cooling down until ' + clock(until) + ', ' + reason.replaceAll('_', ' ');
}

function identity() {
  const name = element('span', 'name');
  const kind = element('span', 'sub');
  const health = healthLine();
  const cooldown = element('span', 'sub cooldown');
  const addresses = element('span', 'sub addresses');
  const node = element('th', 'identity', name, kind, health.node, cooldown, addresses);
  node.setAttribute('scope', 'row');
  node.setAttribute('role', 'rowheader');
  return {
    node,
    /** @param {InstanceStatus} instance */
    update(instance) {
      setText(name, instance.name);
      setText(kind, instance.provider + (instance.model === undefined ? '' : ' · ' + instance.model));
      health.update(instance.health);
      cooldown.hidden = instance.cooldown === undefined;
      setText(cooldown, instance.cooldown === undefined ? '' : describeCooldown(instance.cooldown));
      const lines = describeAddresses(instance.health.addresses ?? []);
      addresses.hidden = lines.length === 0;
      // Compared first, so that a selection survives what does not change.
      if (addresses.textContent !== lines.join('')) {
        addresses.replaceChildren(...lines.map((line) => element('span', '', line)));
      }
    },
  };
}
`;
