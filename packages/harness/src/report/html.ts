/** The page of a report: one file that needs nothing else, and may not fetch anything. */
import { createHash } from 'node:crypto'
import { pageData } from './page-data.js'
import { pageScript } from './page-script.js'
import type { Report } from './report.js'
import { checks, feeds, header, replay, steps, timeline } from './sections.js'
import { STYLE } from './style.js'
import { html, short } from './text.js'

/**
 * The whole file. The same report gives the same bytes.
 *
 * What scenarios and services say is escaped where it stands. Should some of it slip through, it still cannot run: the
 * page's policy allows one script and one style sheet, by their hashes, and no network.
 */
export function renderHtml(report: Report): string {
  const script = `\n${pageScript()}`
  const style = `\n${STYLE}`
  const policy = [
    `default-src 'none'`,
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${report.ok ? 'passed' : 'failed'}: ${html(short(report.scenario.name, 80))}</title>
<style>${style}</style>
</head>
<body>
${header(report)}
<main>
${checks(report)}
${timeline(report)}
${feeds(report)}
${replay(report)}
${steps(report)}
</main>
<script type="application/json" id="data">${embedded(pageData(report))}</script>
<script type="module">${script}</script>
</body>
</html>
`
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** JSON that cannot end the element it stands in, nor begin a comment there. */
function embedded(data: unknown): string {
  return JSON.stringify(data).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}
