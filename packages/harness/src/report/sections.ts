/** The sections of a report's page, but for what its script draws. */
import { showTime } from './page/range.js'
import type { Check, FeedRecord, Report, StepRecord } from './report.js'
import { replayCommand, scenarioText, stepText } from './scenario-text.js'
import { counted, html, short, thousands } from './text.js'

/** Texts of the scenario's author, and of checks: cut beyond so many characters. */
const MOST_CHARACTERS = 4_000
/** Of a step, in its table. */
const MOST_OF_A_STEP = 240
/** More steps than this are folded. */
const FOLDED = 60

/** The verdict, what was played, and how it went. */
export function header({ scenario, server, world, ok, elapsed, realTime, operations }: Report): string {
  const times = world === 'simulator' ? `${showTime(elapsed)} simulated in ${showTime(realTime)}` : showTime(elapsed)
  const facts: readonly (readonly [string, string, string?])[] = [
    ['service', html(short(server, MOST_OF_A_STEP))],
    ['world', world],
    ['servers', String(scenario.servers)],
    ['seed', String(scenario.seed)],
    ['took', times],
    ['operations', thousands(operations.attempted)],
    ['ok', thousands(operations.ok), 'ok'],
    ['failed', thousands(operations.fail), 'fail'],
    ['unknown', thousands(operations.info), 'info'],
  ]
  return `<header class="${ok ? 'passed' : 'failed'}">
<h1><span class="verdict">${ok ? 'passed' : 'failed'}</span> <bdi>${html(short(scenario.name, MOST_CHARACTERS))}</bdi></h1>
<p class="description"><bdi>${html(short(scenario.description, MOST_CHARACTERS))}</bdi></p>
<dl>
${facts.map(([name, value, kind = '']) => `<div><dt class="${kind}">${name}</dt><dd><bdi>${value}</bdi></dd></div>`).join('\n')}
</dl>
</header>`
}

/** A table: what was checked, and what was found. */
export function checks({ checks }: Report): string {
  return `<section id="checks">
<h2>Checks</h2>
<table>
<thead><tr><th>outcome</th><th>check</th><th>what was found</th></tr></thead>
<tbody>
${checks.map(checkRow).join('\n')}
</tbody>
</table>
</section>`
}

function checkRow({ name, ok, detail, window }: Check): string {
  const [kind, word] = ok === null ? ['unmade', 'could not be made'] : ok ? ['passed', 'ok'] : ['failed', 'failed']
  const show =
    window === undefined
      ? ''
      : ` <span class="window">${showTime(window.from)} to ${showTime(window.to)}</span> <button class="scripted" data-from="${window.from}" data-to="${window.to}" hidden>Show it</button>`
  const found = `<bdi>${html(short(detail, MOST_CHARACTERS))}</bdi>${show}`
  return `<tr class="${kind}"><td>${word}</td><th scope="row"><bdi>${html(short(name, MOST_OF_A_STEP))}</bdi></th><td>${found}</td></tr>`
}

/** A table of all subscribers; nothing if there were none. */
export function feeds({ feeds }: Report): string {
  if (feeds.length === 0) return ''
  return `<section id="feeds">
<h2>Feeds</h2>
<div class="wide"><table>
<thead><tr><th>feed</th><th>servers</th><th>from slot</th><th>events</th><th>last slot</th><th>ended</th></tr></thead>
<tbody>
${feeds.map(feedRow).join('\n')}
</tbody>
</table></div>
</section>`
}

function feedRow({ name, servers, from, events, last, ended }: FeedRecord): string {
  const cells = [servers.join(' '), from ?? 'not begun', thousands(events), last ?? '', ended ?? '']
  const row = cells.map((cell) => `<td><bdi>${html(short(String(cell), MOST_OF_A_STEP))}</bdi></td>`).join('')
  return `<tr><th scope="row"><bdi>${html(short(name, MOST_OF_A_STEP))}</bdi></th>${row}</tr>`
}

const LEGEND: readonly (readonly [kind: string, text: string])[] = [
  ['ok', 'ok'],
  ['fail', 'no effect: another value was there, or it failed'],
  ['info', 'unknown: may have happened, or yet happen'],
  ['leader', 'leads'],
  ['follower', 'follows'],
  ['candidate', 'wants to lead'],
  ['server', 'server down or paused'],
  ['network', 'network fault'],
  ['disk', 'disk fault'],
  ['clock', 'clock fault'],
  ['offence', 'where a check failed'],
]

const BUTTONS: readonly (readonly [command: string, text: string, title: string])[] = [
  ['zoom-in', '+', 'Zoom in (+)'],
  ['zoom-out', '−', 'Zoom out (−)'],
  ['earlier', '◀', 'Earlier (Shift ←)'],
  ['later', '▶', 'Later (Shift →)'],
  ['whole', 'Whole run', 'The whole run (0)'],
]

/** The frame of what the script draws. */
export function timeline({ operations, scenario }: Report): string {
  const what = `Timeline of ${counted(operations.attempted, 'operation')} and ${counted(scenario.servers, 'server')}`
  const button = ([command, text, title]: (typeof BUTTONS)[number]): string =>
    `<button data-command="${command}" title="${title}" aria-label="${title}">${text}</button>`
  return `<section id="timeline">
<h2>Timeline</h2>
<noscript><p>The timeline is drawn by a script, which this browser does not run.</p></noscript>
<div class="scripted" hidden>
<div class="tools">${BUTTONS.map(button).join('')}<label>Find <input id="search" type="search" placeholder="key, value, client, error"></label></div>
<ul class="legend">${LEGEND.map(([kind, text]) => `<li class="${kind}">${text}</li>`).join('')}</ul>
<canvas id="overview" aria-hidden="true"></canvas>
<div id="chart" tabindex="0" role="application" aria-label="${what}" aria-describedby="help"><canvas id="canvas"></canvas></div>
<div id="tip" role="status" aria-live="polite" hidden></div>
<p id="help">Drag over a part to zoom into it; Ctrl and the wheel, or the wheel on the axis, zooms; Shift and the wheel, or a drag of the axis, moves. Keys: arrows go from one thing to the next, + − 0 zoom, Shift ← → moves, Escape leaves. Fingers: one moves, two zoom, a tap tells what is there.</p>
<details id="operations"><summary>The operations in this part of the run, as a table</summary>
<p><span id="count"></span></p>
<div class="wide"><table><thead><tr><th>at</th><th>took</th><th>client</th><th>operation</th><th>outcome</th></tr></thead><tbody id="rows"></tbody></table></div>
</details>
</div>
</section>`
}

/** The command, and the scenario that it needs. */
export function replay(report: Report): string {
  const command = report.command ?? replayCommand(report)
  return `<section id="replay">
<h2>Play it again</h2>
<pre><code>${html(command)}</code></pre>
<details><summary>The scenario: <code>scenario.json</code></summary>
<pre><code>${scenarioText(report.scenario).split('\n').map(html).join('\n')}</code></pre>
</details>
</section>`
}

/** A table of all steps, and why some were not done. */
export function steps({ steps }: Report): string {
  const undone = steps.filter(({ notDone }) => notDone !== null).length
  return `<section id="steps">
<h2>Steps</h2>
<details${steps.length > FOLDED ? '' : ' open'}><summary>${counted(steps.length, 'step')}${undone === 0 ? '' : `, ${thousands(undone)} not done`}</summary>
<div class="wide"><table>
<thead><tr><th>#</th><th>step</th><th>at</th><th>took</th></tr></thead>
<tbody>
${steps.map(stepRow).join('\n')}
</tbody>
</table></div>
</details>
</section>`
}

function stepRow({ number, step, from, to, notDone }: StepRecord): string {
  const [type, rest] = stepText(step)
  const why =
    notDone === null ? '' : ` <span class="why">not done: <bdi>${html(short(notDone, MOST_OF_A_STEP))}</bdi></span>`
  const text = `<b>${html(type)}</b> <bdi>${html(short(rest, MOST_OF_A_STEP))}</bdi>${why}`
  return `<tr${notDone === null ? '' : ' class="undone"'}><td>${number}</td><td>${text}</td><td>${showTime(from)}</td><td>${showTime(to - from)}</td></tr>`
}
