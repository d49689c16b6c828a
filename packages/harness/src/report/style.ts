/** The style sheet of a report's page. */
import type { Palette } from './page/palette.js'
import { DARK, LIGHT } from './page/palette.js'

function variables(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, colour]) => `--${name.toLowerCase()}: ${String(colour)};`)
    .join(' ')
}

/** All of it; it follows the reader's choice of a light or a dark page, and prints. */
export const STYLE = `
:root { color-scheme: light dark; ${variables(LIGHT)} }
@media screen and (prefers-color-scheme: dark) { :root { ${variables(DARK)} } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; padding: 0 1.25rem 3rem; max-width: 1500px; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.3; max-height: 8em; overflow-y: auto; }
h2 { margin: 2rem 0 .6rem; font-size: 1.1rem; }
p { margin: .5rem 0; }
header { margin: 1.25rem 0 0; padding: 1rem 1.25rem; border: 1px solid var(--line); border-left-width: 6px;
  border-radius: 6px; background: var(--panel); }
header.passed { border-left-color: var(--passed); }
header.failed { border-left-color: var(--failed); }
.verdict { padding: .05em .5em; border-radius: 4px; color: var(--page); font-size: .8em; vertical-align: .08em; }
.passed .verdict { background: var(--passed); }
.failed .verdict { background: var(--failed); }
.description { max-height: 12em; overflow-y: auto; color: var(--muted); }
.description:has(bdi:empty) { display: none; }
dl { display: flex; flex-wrap: wrap; gap: .5rem 1.75rem; margin: .8rem 0 0; }
dt { color: var(--muted); font-size: .8rem; }
dt.ok::before, dt.fail::before, dt.info::before { content: ""; display: inline-block; width: .65em; height: .65em;
  margin-right: .35em; border-radius: 2px; }
dt.ok::before { background: var(--ok); }
dt.fail::before { background: var(--fail); }
dt.info::before { background: var(--info); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--muted); font-size: .8rem; font-weight: normal; }
tbody th { font-weight: 600; }
#checks th { min-width: 8rem; }
#checks td:first-child { white-space: nowrap; font-weight: 600; }
#checks .passed td:first-child { color: var(--passed); }
#checks .failed td:first-child { color: var(--failed); }
#checks .unmade td:first-child { color: var(--muted); }
#checks .failed { background: color-mix(in srgb, var(--failed) 8%, transparent); }
#checks td bdi { display: inline-block; vertical-align: top; max-height: 14em; overflow-y: auto; }
.window { color: var(--muted); white-space: nowrap; }
#steps td:nth-child(n + 3), #rows td:nth-child(-n + 2) { white-space: nowrap; }
.undone { color: var(--muted); }
.why { color: var(--failed); }
#rows .fail td:last-child, #rows .info td:last-child { font-weight: 600; }
.wide { overflow-x: auto; }
pre { margin: .5rem 0; padding: .7rem .9rem; max-height: 60vh; overflow: auto; border: 1px solid var(--line);
  border-radius: 6px; background: var(--panel); white-space: pre-wrap; font-size: .87rem; }
summary { cursor: pointer; }
button, input { padding: .3rem .65rem; min-height: 2rem; border: 1px solid var(--line); border-radius: 5px;
  background: var(--panel); color: inherit; font: inherit; }
button { cursor: pointer; }
button:hover { border-color: var(--muted); }
:focus-visible { outline: 2px solid var(--ok); outline-offset: 1px; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; }
.tools label { margin-left: auto; color: var(--muted); }
.tools input { width: 15rem; max-width: 60vw; color: var(--text); }
.legend { display: flex; flex-wrap: wrap; gap: .15rem 1rem; margin: .6rem 0; padding: 0; list-style: none;
  color: var(--muted); font-size: .8rem; }
.legend li::before { content: ""; display: inline-block; width: 1.1em; height: .8em; margin-right: .4em;
  border-radius: 2px; vertical-align: -.05em; }
.legend .ok::before { background: var(--ok); }
.legend .fail::before { background: linear-gradient(transparent 30%, var(--fail) 30%); }
.legend .info::before { background: linear-gradient(90deg, var(--info) 35%, transparent); }
.legend .leader::before { background: var(--leader); }
.legend .follower::before { background: var(--follower); }
.legend .candidate::before { background: var(--candidate); }
${['server', 'network', 'disk', 'clock']
  .map(
    (cause) =>
      `.legend .${cause}::before { background: color-mix(in srgb, var(--${cause}) 35%, transparent); border-left: 2px solid var(--${cause}); }`,
  )
  .join('\n')}
.legend .offence::before { border: solid var(--failed); border-width: 0 2px;
  background: color-mix(in srgb, var(--failed) 20%, transparent); }
canvas { display: block; width: 100%; }
#overview { width: calc(100% - 92px); height: 42px; margin: 0 0 6px 92px; cursor: pointer; touch-action: pan-y; border-radius: 4px; }
#chart { box-sizing: content-box; border: 1px solid var(--line); border-radius: 4px; }
#canvas { position: sticky; top: 0; cursor: crosshair; touch-action: pan-y; border-radius: 4px; }
#tip { position: fixed; z-index: 1; display: grid; gap: .1rem; max-width: min(30rem, calc(100vw - 16px)); padding: .5rem .7rem;
  border: 1px solid var(--line); border-radius: 5px; background: var(--panel); box-shadow: 0 3px 12px rgb(0 0 0 / 25%);
  font-size: .83rem; pointer-events: none; }
#help { color: var(--muted); font-size: .8rem; }
@media (max-width: 600px) {
  body { padding: 0 .7rem 2rem; font-size: 14px; }
  header { padding: .8rem; }
  th, td { padding: .3rem .35rem; }
  #overview { width: calc(100% - 62px); margin-left: 62px; }
  .tools label { margin-left: 0; }
  #checks thead { display: none; }
  #checks tr { display: flex; flex-wrap: wrap; border-bottom: 1px solid var(--line); }
  #checks th, #checks td { border: none; }
  #checks td:last-child { flex-basis: 100%; padding-top: 0; }
}
@media print {
  body { max-width: none; padding: 0; }
  .tools, #help, #tip, #operations, button { display: none; }
  #chart, #chart canvas { position: static; height: auto !important; }
  pre, h1, .description, #checks td bdi { max-height: none; overflow: visible; }
  h2 { break-after: avoid; }
  tr, header { break-inside: avoid; }
}
`.trimStart()
