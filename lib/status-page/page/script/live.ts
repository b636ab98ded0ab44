/** Keeps the page up to date, and says so when it is not. */
export const live = /* js */ `
/** A heartbeat comes every 15 seconds: a network that is gone without a word is noticed after this long. */
const SILENCE_MS = 40000;
const RETRY_MS = 3000;

// A mount point may have been asked for without a slash at its end, where "events" would be its neighbour.
const mount = location.pathname.endsWith('/') ? '' : location.pathname.split('/').pop() + '/';

/** @type {ReturnType<typeof gatewayView>[]} */
let views = [];
let viewNames = '';
let heardAt = Date.now();
/** @type {string | undefined} */
let shownAt;
/** @type {EventSource | undefined} */
let source;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;

/** @param {StatusDocument} state */
function show({ at, gateways }) {
  clockLead = Date.parse(at) - Date.now();
  shownAt = at;
  const names = JSON.stringify(gateways.map(({ name }) => name));
  if (names !== viewNames) {
    viewNames = names;
    views = gateways.map(({ name }, index) => gatewayView(name, index));
    find('gateways').replaceChildren(...views.map((view) => view.node));
  }
  gateways.forEach(({ status }, index) => views[index]?.update(status));
  showOverview(gateways);
  announceChanges(gateways);
  refreshTimes();
}

/** @param {'live' | 'disconnected'} state */
function showConnection(state) {
  find('connection').dataset.state = state;
  document.body.dataset.connection = state;
  if (state === 'live') {
    setText(find('connection-text'), 'Live');
    return;
  }
  const age = shownAt === undefined ? '' : ' Figures of ' + clock(shownAt) + '.';
  setText(find('connection-text'), 'Disconnected, trying again.' + age);
  document.title = 'Disconnected · Gateway status';
  showIcon('disconnected');
}

function hear() {
  heardAt = Date.now();
  showConnection('live');
}

function reconnectLater() {
  source?.close();
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY_MS);
}

function connect() {
  heardAt = Date.now();
  source = new EventSource(mount + 'events');
  source.addEventListener('message', (event) => {
    hear();
    show(JSON.parse(event.data));
  });
  source.addEventListener('alive', hear);
  source.addEventListener('error', () => {
    showConnection('disconnected');
    // It tries again by itself, unless the answer was one that is no stream: a 502 from a proxy, a 503.
    if (source?.readyState === EventSource.CLOSED) reconnectLater();
  });
}

function watchSilence() {
  if (source?.readyState !== EventSource.OPEN || Date.now() - heardAt < SILENCE_MS) return;
  showConnection('disconnected');
  reconnectLater();
}

setAttribute(find('json'), 'href', mount + 'status.json');
connect();
setInterval(refreshTimes, 5000);
setInterval(watchSilence, 5000);
`;
