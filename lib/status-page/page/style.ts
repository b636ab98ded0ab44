/** Calm and dense: one column of figures under the other, colour only where something is the matter. */
export const style = /* css */ `
:root {
  --ground: #f6f6f4;
  --sheet: #ffffff;
  --ink: #1d1f23;
  --soft: #5f646d;
  --line: #e3e3df;
  --faint: #f3f3f0;
  --track: #e9e9e5;
  --accent: #2b62c4;
  --good: #17784a;
  --bad: #bf2c2c;
  --bad-ground: #fdf1f0;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #101214;
    --sheet: #17191c;
    --ink: #e6e7e9;
    --soft: #9aa0aa;
    --line: #2a2d32;
    --faint: #1e2125;
  --track: #2c3036;
    --accent: #79a8f5;
    --good: #4fc48a;
    --bad: #ff7b74;
    --bad-ground: #2a1a1b;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 48px; }
body {
  margin: 0 auto;
  max-width: 1480px;
  padding: 0 24px;
  background: var(--ground);
  color: var(--ink);
  font: 13px/18px Inter, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, system-ui, sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, dl, dd, ol { margin: 0; padding: 0; }
a { color: var(--accent); text-underline-offset: 2px; }
a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.top {
  display: flex;
  justify-content: space-between;
  align-items: flex-start;
  gap: 8px 24px;
  padding: 20px 0 4px;
}
h1 { font-size: 17px; line-height: 24px; font-weight: 650; letter-spacing: -0.01em; }
.counts { color: var(--soft); }
.alarm { color: var(--bad); font-weight: 600; }
.alarm a { color: inherit; }
.connection { display: flex; align-items: center; gap: 7px; padding-top: 3px; color: var(--soft); }
.connection .mark { flex: none; width: 8px; height: 8px; border-radius: 50%; border: 2px solid var(--soft); }
.connection[data-state="live"] .mark { border-color: var(--good); background: var(--good); }
.connection[data-state="disconnected"] { color: var(--bad); font-weight: 600; }
.connection[data-state="disconnected"] .mark { border-color: var(--bad); }
body[data-connection="disconnected"] main { opacity: 0.65; }

.gateway { padding: 20px 0 12px; }
.gateway-head { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 10px 32px; padding-bottom: 10px; }
h2 { flex: 1 1 auto; font-size: 15px; line-height: 22px; font-weight: 650; }
.figures { display: flex; flex-wrap: wrap; gap: 8px 28px; }
.figure { display: flex; flex-direction: column; }
.figure dt { color: var(--soft); font-size: 12px; line-height: 16px; }
.figure dd { font-size: 17px; line-height: 22px; font-weight: 600; }
.figure.zero dd { color: var(--soft); font-weight: 400; }

.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; overflow: clip; }
table { width: 100%; border-collapse: collapse; }
th { font-weight: inherit; text-align: left; }
th, td { padding: 9px 8px; vertical-align: top; }
th:first-child { padding-left: 16px; }
td:last-child, thead th:last-child { padding-right: 16px; }
thead th {
  padding-top: 8px;
  padding-bottom: 7px;
  color: var(--soft);
  font-size: 12px;
  line-height: 16px;
  white-space: nowrap;
  position: sticky;
  top: 0;
  z-index: 1;
  background: var(--sheet);
  box-shadow: inset 0 -1px var(--line);
}
tr.instance { border-top: 1px solid var(--line); }
tr.tier { background: var(--faint); }
tbody + tbody tr.tier { border-top: 1px solid var(--line); }
tr.tier th { padding-top: 5px; padding-bottom: 5px; font-weight: 600; font-size: 12px; }
tr.tier .sub { font-weight: 400; padding-left: 6px; }
tr.instance[data-state="unhealthy"] { background: var(--bad-ground); box-shadow: inset 3px 0 var(--bad); }
tr.instance:target { outline: 2px solid var(--accent); outline-offset: -2px; }

/* Other people's words may be of any length; numbers stay in one piece. */
.identity, .alarm, h2, .path, .errors { overflow-wrap: anywhere; }
.main, .value, .scale, .percentile, .attempts, .tokens, .fallbacks, .quota, .took { white-space: nowrap; }
.without-quota .quota { display: none; }
.identity > span, td > span { display: block; }
.identity .name { font-weight: 600; font-size: 14px; }
.sub { color: var(--soft); font-size: 12px; }
.addresses > span { display: block; }
.main { font-size: 14px; }
.bad { color: var(--bad); font-weight: 600; }
.health { color: var(--soft); font-size: 12px; }
.health .mark {
  display: inline-block;
  width: 8px;
  height: 8px;
  margin-right: 6px;
  border: 1.5px solid currentcolor;
  border-radius: 50%;
}
.health[data-state="healthy"] .word { color: var(--good); }
.health[data-state="healthy"] .mark { color: var(--good); background: currentcolor; }
.health[data-state="unhealthy"] .word { color: var(--bad); font-weight: 600; }
.health[data-state="unhealthy"] .mark {
  width: 10px;
  height: 9px;
  margin: 0 5px 0 -1px;
  border: 0;
  border-radius: 0;
  color: var(--bad);
  background: currentcolor;
  clip-path: polygon(50% 0, 100% 100%, 0 100%);
}

th.number, .in-flight, .attempts, .fallbacks, .tokens, .percentiles { text-align: right; }
td > .bar { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: 7px; font-size: 12px; }
.bar .part { color: var(--soft); min-width: 48px; }
.bar .value { text-align: right; min-width: 42px; }
.track { height: 4px; border-radius: 2px; background: var(--track); overflow: hidden; }
.fill { display: block; height: 100%; border-radius: 2px; background: var(--accent); transition: width 0.3s; }
.bar.configured .fill { background: var(--soft); opacity: 0.6; }
td > .bar.level { display: block; padding: 4px 0 3px; }
.level .part, .level .value { display: none; }
.level .track { display: block; }
@media (prefers-reduced-motion: reduce) { .fill { transition: none; } }

td > .percentile { display: flex; justify-content: flex-end; gap: 6px; }
.percentile .part { color: var(--soft); font-size: 12px; }
.percentile .value { min-width: 38px; }

td > .minutes { display: grid; grid-template-columns: minmax(40px, 1fr) auto; align-items: end; gap: 8px; }
.minutes + .minutes { margin-top: 6px; }
.spark { display: block; width: 100%; height: 22px; border-bottom: 1px solid var(--line); overflow: visible; }
.spark .line { fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; }
.spark .columns { fill: var(--soft); opacity: 0.55; }
.scale { color: var(--soft); font-size: 11px; line-height: 14px; min-width: 58px; }

.recent { padding: 14px 0 0; }
h3 { font-size: 12px; font-weight: 600; color: var(--soft); padding-bottom: 4px; }
.note { color: var(--soft); }
.moves { list-style: none; columns: 2; column-gap: 32px; }
.moves li { display: flex; gap: 12px; padding: 2px 0; break-inside: avoid; }
.moves time { flex: none; color: var(--soft); }
.moves .name { font-weight: 600; }
.moves .result { color: var(--good); }
.moves .result.bad { color: var(--bad); }
.moves .arrow, .moves .took { color: var(--soft); }

.bottom {
  display: flex;
  flex-wrap: wrap;
  justify-content: space-between;
  gap: 4px 24px;
  margin-top: 16px;
  padding: 12px 0 28px;
  border-top: 1px solid var(--line);
  color: var(--soft);
  font-size: 12px;
}

@media (min-width: 1360px) {
  .identity { width: 18%; min-width: 150px; }
  .share { width: 13%; min-width: 130px; }
  .errors { min-width: 112px; }
  .history { width: 14%; min-width: 120px; }
  .attempts { min-width: 88px; }
  .attempts .sub { white-space: normal; }
}

/* Too narrow for a table: every row becomes a card, its cells named as the columns are. */
@media (max-width: 1359px) {
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr.instance { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 12px 20px; padding: 12px 16px 14px; }
  th, td, th:first-child, td:last-child { padding: 0; text-align: left; }
  tr.tier th { padding: 5px 16px; }
  /* Whatever does not fit breaks, rather than run into its neighbour. */
  td, td > .main, .attempts, .tokens, .quota { white-space: normal; overflow-wrap: anywhere; }
  .identity, .share { grid-column: span 3; }
  td::before { content: attr(data-label); color: var(--soft); font-size: 12px; line-height: 16px; }
  td > .percentile { justify-content: flex-start; }
  .percentile .value { min-width: 0; }
  .percentile .part { min-width: 24px; }
  .in-flight, .attempts, .fallbacks, .tokens, .percentiles { text-align: left; }
  .history { grid-column: span 4; display: grid; grid-template-columns: 1fr 1fr; gap: 2px 20px; align-content: start; }
  .spark { height: 30px; }
  .moves { columns: 1; }
  .history::before { grid-column: 1 / -1; }
  .minutes + .minutes { margin-top: 0; }
}
@media (max-width: 1023px) and (min-width: 761px) {
  tr.instance { grid-template-columns: repeat(4, minmax(0, 1fr)); }
  .identity, .share { grid-column: span 2; }
}
@media (max-width: 760px) {
  body { padding: 0 16px; }
  .top { flex-direction: column; }
  .figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 8px 12px; width: 100%; }
  .figure dd { font-size: 16px; overflow-wrap: anywhere; }
  .sheet { margin: 0 -16px; border-left: 0; border-right: 0; border-radius: 0; }
  tr.instance { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 10px 16px; }
  .identity, .share, .percentiles, .history { grid-column: 1 / -1; }
  .percentiles { display: grid; grid-template-columns: subgrid; }
  .percentiles::before { grid-column: 1 / -1; }
}
`;
