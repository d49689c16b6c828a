/** The page of a report: what is in it, that it stands alone, and that nobody can smuggle anything into it. */
import { renderHtml } from '@synod/harness/internal/report/html'
import type { PageData } from '@synod/harness/internal/report/page/data'
import { pageData } from '@synod/harness/internal/report/page-data'
import type { Report } from '@synod/harness/internal/report/report'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import t from 'tap'
import { hostileReport, HOSTILE } from './hostile.js'
import { sampleReport } from './sample.js'

/** The texts of all elements of a kind that cannot hold others. */
function textsOf(page: string, tag: 'script' | 'style' | 'code' | 'td' | 'title'): string[] {
  return [...page.matchAll(new RegExp(`<${tag}(?: [^>]*)?>(.*?)</${tag}>`, 'gs'))].map(([, text = '']) => text)
}

/** Without what is in scripts and style sheets. */
function bareOf(page: string): string {
  return page.replace(/(<(script|style)[^>]*>).*?(<\/\2>)/gs, '$1$3')
}

/** All tags with their attributes' names. */
function tagsOf(page: string): string[] {
  const tags = bareOf(page).matchAll(/<(\/?[a-z!][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>/gi)
  return [...tags].map(([, tag = '', rest = '']) =>
    [tag, ...[...rest.matchAll(/([a-z-]+)(?:="[^"]*")?/gi)].map(([, name]) => name)].join(' '),
  )
}

function unescaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" }
  return text.replace(/&(lt|gt|amp|quot|#39);/g, (_, name: string) => entities[name] ?? '')
}

function dataOf(page: string): PageData {
  const [json = ''] = textsOf(page, 'script')
  return JSON.parse(json) as PageData
}

t.test('the page says what was played, how it went, and how to play it again', (t) => {
  const report = sampleReport({ failed: true })
  const page = renderHtml(report)
  t.match(page, '<span class="verdict">failed</span>')
  t.equal(textsOf(page, 'title')[0], 'failed: The leader is paused amid writes')
  for (const { name, detail } of report.checks) {
    t.ok(unescaped(page).includes(name))
    t.ok(unescaped(page).includes(detail))
  }
  t.match(page, /<tr class="failed"><td>failed<\/td><th scope="row"><bdi>linearizable/)
  t.match(page, /<tr class="unmade"><td>could not be made/)
  t.match(page, `data-to="${report.checks[0]?.window?.to}"`)
  t.equal(textsOf(page, 'code')[0], 'npx harness simulate --seed 42 --server kvstore --file scenario.json')
  const undone = report.steps.find(({ notDone }) => notDone !== null)
  t.ok(undone)
  t.ok(unescaped(page).includes(`not done: <bdi>${undone?.notDone}</bdi>`))
  t.equal(page.match(/<tr( class="undone")?><td>\d+<\/td>/g)?.length, report.steps.length)
  t.end()
})

t.test('what each subscriber heard is in a table', (t) => {
  const page = unescaped(renderHtml(sampleReport()))
  const cells = (...texts: string[]): string => texts.map((text) => `<td><bdi>${text}</bdi></td>`).join('')
  t.ok(page.includes(`<th scope="row"><bdi>all</bdi></th>${cells('0 1 2', '1', '1,234', '1700', '')}`))
  t.ok(page.includes(`<th scope="row"><bdi>slow</bdi></th>${cells('2', '40', '3', '47', 'LAGGED')}`))
  t.ok(page.includes(`<th scope="row"><bdi>unheard</bdi></th>${cells('1', 'not begun', '0', '', '')}`))
  t.end()
})

t.test('a passed run says so, and the command that its report names is the one shown', (t) => {
  const page = renderHtml({ ...sampleReport(), command: 'npx harness --file <a&b>.json' })
  t.match(page, '<span class="verdict">passed</span>')
  t.equal(textsOf(page, 'code')[0], 'npx harness --file &lt;a&amp;b&gt;.json')
  t.notMatch(page, 'class="failed"')
  t.end()
})

t.test('the scenario on the page is the scenario that was played', (t) => {
  for (const report of [sampleReport(), hostileReport()]) {
    const scenario = unescaped(textsOf(renderHtml(report), 'code').at(-1) ?? '')
    t.strictSame(JSON.parse(scenario), report.scenario)
  }
  t.end()
})

t.test('the page holds the timeline: operations, faults, how servers stood, and where a check failed', (t) => {
  const report = sampleReport({ failed: true })
  const data = dataOf(renderHtml(report))
  t.strictSame(data, pageData(report))
  t.equal(data.operations.length, report.operations.attempted)
  t.equal(data.faults.length, report.bands.length)
  t.strictSame(
    data.offences.map(({ check, to }) => [check, to]),
    [['linearizable', Math.round((report.checks[0]?.window?.to ?? 0) * 1_000) / 1_000]],
  )
  t.end()
})

t.test('the page names nothing outside itself, and forbids the network', (t) => {
  const page = renderHtml(sampleReport({ failed: true }))
  t.notMatch(page, /\b(src|href|action|srcset|poster|background)\s*=/)
  t.notMatch(page, /https?:|\burl\(|@import|sourceMappingURL|\bfetch\(|XMLHttpRequest|WebSocket|\bimport\(/)
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
  t.match(policy, `default-src 'none'`)
  t.notMatch(policy, /unsafe|https?:|\*/)
  t.end()
})

t.test('the policy allows the script and the style sheet of the page, and no others', (t) => {
  for (const report of [sampleReport(), hostileReport()]) {
    const page = renderHtml(report)
    const hash = (text = ''): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    const [json, script, ...others] = textsOf(page, 'script')
    t.strictSame(others, [])
    t.match(json, /^\{[^<]*\}$/, 'nothing in the data can end the element it stands in')
    t.match(page, `script-src ${hash(script)};`)
    t.match(page, `style-src ${hash(textsOf(page, 'style')[0])};`)
    t.notMatch(page, / style="| on[a-z]+="/)
  }
  t.end()
})

t.test('the script is one text that compiles, in which no name is given twice', (t) => {
  const script = textsOf(renderHtml(sampleReport()), 'script')[1] ?? ''
  t.doesNotThrow(
    () => new Script(`'use strict'; {${script}}`),
    'no name is given twice, nothing is imported or exported',
  )
  t.match(script, /main\(\);\s*$/)
  t.notMatch(script, /<\/script|<!--/i)
  t.end()
})

t.test('the script holds every module that was written for it', (t) => {
  const script = textsOf(renderHtml(sampleReport()), 'script')[1] ?? ''
  const folder = new URL('.', import.meta.resolve('@synod/harness/internal/report/page/main'))
  const modules = readdirSync(folder).filter((name) => name.endsWith('.js'))
  t.ok(modules.includes('main.js') && modules.includes('range.js'))
  for (const name of modules) {
    const text = readFileSync(new URL(name, folder), 'utf8')
    const named = [...text.matchAll(/^(?:export )?((?:class|const|function) \w+)/gm)].map(([, words = '']) => words)
    t.ok(named.length > 0 && named.every((words) => script.includes(words)), name)
  }
  t.end()
})

t.test('hostile texts change nothing of the page but texts', (t) => {
  const plain = hostileReport('harmless')
  const hostile = hostileReport(HOSTILE)
  const tags = tagsOf(renderHtml(hostile))
  t.strictSame(tags, tagsOf(renderHtml(plain)))
  t.ok(tags.length > 200)
  t.equal(bareOf(renderHtml(hostile)).split('<').length - 1, tags.length, 'whatever begins like a tag is one')
  const depth = new Map<string, number>()
  for (const tag of tags.map((tag) => tag.split(' ')[0] ?? '')) {
    const name = tag.replace('/', '')
    depth.set(name, (depth.get(name) ?? 0) + (tag.startsWith('/') ? -1 : 1))
  }
  for (const alone of ['!doctype', 'meta', 'input']) depth.delete(alone)
  t.strictSame(
    [...depth].filter(([, open]) => open !== 0),
    [],
    'every element is closed',
  )
  t.end()
})

t.test('hostile texts are shown, not hidden: no control characters, directions or halves of characters', (t) => {
  const page = renderHtml(hostileReport())
  t.equal(Buffer.from(page).toString(), page, 'the file is well-formed UTF-8')
  t.notMatch(page, /[\p{Bidi_Control}\u2028\u2029\0]/u)
  t.notMatch(page.replaceAll('\n', ''), /\p{Cc}/u)
  t.ok(page.includes('\\u202e') && page.includes('\\ud800'))
  t.ok(dataOf(page).texts.some((text) => text.includes('</script>')))
  t.end()
})

t.test('the same report gives the same bytes', (t) => {
  const once = sampleReport({ failed: true, events: 1_000 })
  const again = JSON.parse(JSON.stringify(once)) as Report
  t.equal(renderHtml(once), renderHtml(again))
  t.not(renderHtml(once), renderHtml({ ...once, elapsed: once.elapsed + 1 }))
  t.end()
})

t.test('a page stays small: 50,000 events within 3 MB, and long values are cut', (t) => {
  const report = sampleReport({ servers: 5, clients: 30, events: 50_000, elapsed: 60_000, failed: true })
  t.ok(report.history.length > 50_000)
  t.ok(renderHtml(report).length < 3_000_000)
  const history = report.history.slice(0, 2_000).map((event, n) => ({ ...event, value: `${n}${'x'.repeat(10_000)}` }))
  const long = { ...report, history }
  t.ok(renderHtml(long).length < 1_000_000)
  t.end()
})

t.test('a run in which nothing happened has a page, too', (t) => {
  const nothing = { attempted: 0, ok: 0, fail: 0, info: 0 }
  const report = {
    ...sampleReport(),
    checks: [],
    steps: [],
    bands: [],
    samples: [],
    feeds: [],
    history: [],
    elapsed: 0,
  }
  const page = renderHtml({ ...report, operations: nothing })
  t.strictSame(dataOf(page).operations, [])
  t.ok(dataOf(page).end > 0)
  t.notMatch(page, '<h2>Feeds</h2>')
  t.end()
})
