/** Everything that does not change. The script fills in the rest, by text alone. */
export const markup = /* html */ `
<header class="top">
  <div>
    <h1>Gateway status</h1>
    <p id="counts" class="counts">Waiting for the first figures</p>
    <p id="alarm" class="alarm" hidden></p>
  </div>
  <p class="connection" id="connection" data-state="connecting" role="status">
    <span class="mark" aria-hidden="true"></span><span id="connection-text">Connecting</span>
  </p>
</header>
<main id="gateways">
  <noscript><p class="note">This page needs JavaScript. The same figures, as JSON, are at status.json beside it.</p></noscript>
</main>
<footer class="bottom">
  <p>Counts since the configuration was loaded. Percentiles over the last five minutes.</p>
  <p><a id="json" href="status.json">status.json</a></p>
</footer>
<p id="announcements" class="unseen" aria-live="polite"></p>
`;
