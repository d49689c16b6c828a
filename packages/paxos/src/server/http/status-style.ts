/** The style sheet of the status page. It follows the reader's choice of a light or a dark page. */
export const STATUS_STYLE = /* CSS */ `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f5f7f9; --line: #d8dde3; --text: #1b1f24; --muted: #57606a;
  --good: #1a7f4b; --warn: #8f5a00; --bad: #c62230; --accent: #2464a8; --second: #9a6cc0; --on: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --panel: #1d2229; --line: #363e48; --text: #e6e9ed; --muted: #9aa5b1;
    --good: #4cc38a; --warn: #e0a63a; --bad: #ff7b7b; --accent: #6cb0f5; --second: #b58ae0; --on: #14171c;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: 1.25rem clamp(0.9rem, 3vw, 2rem) 2.5rem; max-width: 1400px; background: var(--page);
  color: var(--text); font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
h1 { margin: 0 0 0.6rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 2rem 0 0.5rem; font-size: 1.05rem; }
#health { padding: 0.65rem 0.9rem; border: 1px solid var(--line); border-left: 6px solid var(--muted); border-radius: 6px;
  background: var(--panel); }
#health strong { margin-right: 0.35em; }
#health.healthy { border-left-color: var(--good); }
#health.healthy strong { color: var(--good); }
#health.degraded { border-left-color: var(--warn); }
#health.degraded strong { color: var(--warn); }
#health.down { border-color: var(--bad); }
#health.down strong { color: var(--bad); }
dl { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 1rem 0 0; }
dt, thead th, .label, .side, .note, footer { color: var(--muted); font-size: 0.82rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.note { max-width: 46rem; }
footer { margin-top: 2rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.5rem 0.75rem 0.5rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { font-weight: normal; white-space: nowrap; }
tbody th { font-weight: inherit; }
.name { display: block; font-weight: 600; }
.label { display: none; }
.role { display: inline-block; padding: 0 0.5em; border: 1px solid var(--line); border-radius: 4px; }
.role.leader { border-color: var(--good); background: var(--good); color: var(--on); }
.role.candidate, .role.forming, .role.starting, .role.repairing { border-color: var(--warn); color: var(--warn); }
.role.unreachable { border-color: var(--bad); color: var(--bad); }
.trouble { max-width: 17rem; color: var(--bad); font-size: 0.82rem; }
progress { display: block; width: 100%; max-width: 11rem; height: 0.5rem; margin: 0.35rem 0; accent-color: var(--warn); }
.spark { display: block; width: 100%; min-width: 6rem; max-width: 11rem; height: 1.6rem; margin-top: 0.2rem;
  border-bottom: 1px solid var(--line); }
.line { fill: none; stroke: var(--accent); stroke-width: 1.5px; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.line.second { stroke: var(--second); stroke-dasharray: 3 2; }
.gone .main { color: var(--muted); }
#elections-table { width: auto; min-width: min(100%, 34rem); }
#elections-table td { padding-top: 0.3rem; padding-bottom: 0.3rem; }
#elections-table time { white-space: nowrap; }
.what.none { color: var(--bad); }
.silent main { filter: grayscale(1); }
@media (max-width: 900px) {
  #servers-table, #servers { display: block; }
  #servers-table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  #servers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 0.75rem; }
  #servers tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0.6rem 1rem; align-content: start; padding: 0.8rem 0.9rem;
    border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
  #servers th, #servers td { padding: 0; border: none; }
  #servers .standing { text-align: right; }
  #servers .label { display: block; }
  #elections-table thead th, #elections-table time { white-space: normal; }
}
`.trimStart()
