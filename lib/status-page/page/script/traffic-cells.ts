/** What an instance has been sent, and what became of it. Each cell is made once and then told what to say. */
export const trafficCells = /* js */ `
function shareCell() {
  const configured = bar('configured');
  const actual = bar('actual');
  return {
    node: cell('share', 'Share of its tier', configured.node, actual.node),
    /** @param {InstanceStatus} instance */
    update({ share, weight }) {
      configured.update(share.configured, percent(share.configured), 'weight ' + weight);
      actual.update(share.actual, share.actual === undefined ? 'none yet' : percent(share.actual), 'actual');
    },
  };
}

function inFlightCell() {
  const count = element('span', 'main');
  return {
    node: cell('in-flight', 'In flight', count),
    /** @param {InstanceStatus} instance */
    update(instance) {
      setText(count, whole(instance.in_flight));
    },
  };
}

const NO_BREAK = String.fromCodePoint(0xa0);

/** Those that are zero are left out. @param {[kind: string, count: number][]} kinds */
function listKinds(kinds) {
  return kinds
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => (whole(count) + ' × ' + kind).replaceAll(' ', NO_BREAK))
    .join(', ');
}

function attemptsCell() {
  const count = element('span', 'main');
  const answers = element('span', 'sub');
  const replays = element('span', 'sub');
  return {
    node: cell('attempts', 'Attempts', count, answers, replays),
    /** @param {InstanceStatus} instance */
    update(instance) {
      setText(count, whole(instance.attempts));
      setLine(
        answers,
        listKinds([
          ['2xx', instance.answers['2xx']],
          ['3xx', instance.answers['3xx']],
        ]),
      );
      setLine(replays, instance.replays > 0 ? counted(instance.replays, 'replay') : '');
    },
  };
}

/** @param {InstanceStatus} instance @returns {[kind: string, count: number][]} */
function errorKinds({ answers, failures }) {
  return [
    ['4xx', answers['4xx']],
    ['5xx', answers['5xx']],
    ['refused', failures.refused],
    ['reset', failures.reset],
    ['timed out', failures.timed_out],
    ['other', failures.other],
  ];
}

const RECENT_MINUTES = 5;

function errorsCell() {
  const count = element('span', 'main');
  const kinds = element('span', 'sub');
  const recent = element('span', 'bad');
  const what = element('span', 'what');
  const when = relativeTime();
  const last = element('span', 'sub', 'last ', when.node, ': ', what);
  return {
    node: cell('errors', 'Errors', count, recent, kinds, last),
    /** @param {InstanceStatus} instance */
    update(instance) {
      const found = errorKinds(instance);
      setText(count, whole(found.reduce((sum, [, number]) => sum + number, 0)));
      const minutes = instance.minutes.slice(-RECENT_MINUTES);
      const now = minutes.reduce((sum, { errors }) => sum + errors, 0);
      setLine(recent, now === 0 ? '' : whole(now) + ' in ' + RECENT_MINUTES + ' min');
      setLine(kinds, listKinds(found));
      const error = instance.last_error;
      last.hidden = error === undefined;
      if (error === undefined) return;
      setText(what, String(error.status ?? error.error ?? 'unknown'));
      when.update(error.at);
    },
  };
}

function fallbacksCell() {
  const out = element('span', 'out');
  const into = element('span', 'in');
  return {
    node: cell('fallbacks', 'Fallbacks', out, into),
    /** @param {InstanceStatus} instance */
    update({ fallbacks }) {
      setText(out, whole(fallbacks.out) + ' out');
      setText(into, whole(fallbacks.in) + ' in');
    },
  };
}
`;
