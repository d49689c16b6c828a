/** The files of the status page, which every server has, and the page of those that have no other. */
import { readFileSync } from 'node:fs'
import { contentOf } from './content.js'
import type { Content } from './content.js'
import { STATUS_HTML } from './status-html.js'
import { STATUS_STYLE } from './status-style.js'

export const STATUS_PAGE = '/status'

/** The page's modules, as they are compiled. They import each other by their names. */
const MODULES = [
  'main',
  'elections',
  'election-row',
  'elements',
  'format',
  'health',
  'history',
  'poll',
  'server-row',
  'sparkline',
  'view',
] as const

let files: ReadonlyMap<string, Content> | null = null

/** All of them, by their paths. */
export function statusFiles(): ReadonlyMap<string, Content> {
  files ??= new Map([
    [STATUS_PAGE, contentOf('status.html', STATUS_HTML)],
    [`${STATUS_PAGE}/style.css`, contentOf('style.css', STATUS_STYLE)],
    [`${STATUS_PAGE}/icon.svg`, contentOf('icon.svg', ICON)],
    ...MODULES.map((name) => [`${STATUS_PAGE}/${name}.js`, contentOf('module.js', moduleText(name))] as const),
  ])
  return files
}

/** What is at `/` of a service without a web page. A service's name is letters, digits and dashes: plain text in HTML. */
export function frontPage(service: string, id: number): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${service} server ${id}</title>
<link rel="icon" href="status/icon.svg">
<link rel="stylesheet" href="status/style.css">
</head>
<body>
<main>
<h1>${service}</h1>
<p>This is server ${id} of a Synod cluster. Its clients speak to it over WebSocket.</p>
<p><a href="status">How the servers stand</a></p>
</main>
</body>
</html>
`
}

function moduleText(name: string): Buffer {
  return readFileSync(new URL(`../../status-page/${name}.js`, import.meta.url))
}

/** Three servers in agreement. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g fill="#1a7f6b"><circle cx="8" cy="4" r="3"/><circle cx="3.5" cy="12" r="3"/><circle cx="12.5" cy="12" r="3"/></g></svg>`
