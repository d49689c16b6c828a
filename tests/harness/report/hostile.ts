/** A report in which every text that comes from outside means ill. */
import type { Report } from '@synod/harness/internal/report/report'
import { sampleReport } from './sample.js'

export const HOSTILE = [
  '</script><script>alert(1)</script></SCRIPT ',
  '<img src=x onerror="alert(1)">',
  `"' onmouseover='alert(1)' \`\${1}\``,
  '<!-- ]]> &lt; &amp;',
  '\u202egnirts\u2066 \u200f',
  '\ud800 \udfff\u2028\u2029',
  '\u0000\u0007\u001b[31m\r\n',
  'W'.repeat(10_000),
].join(' ')

/** The sample of a failed run, its texts replaced. */
export function hostileReport(text = HOSTILE): Report {
  const report = sampleReport({ failed: true })
  const step = { type: 'Set', id: 0, key: text, value: text } as const
  return {
    ...report,
    server: text,
    scenario: { ...report.scenario, name: text, description: text, steps: [step] },
    checks: report.checks.map((check) => ({ ...check, name: text, detail: text })),
    steps: report.steps.map(({ notDone, ...record }) => ({ ...record, step, notDone: notDone === null ? null : text })),
    bands: report.bands.map((band) => ({ ...band, label: text })),
    samples: report.samples.map((sample) => ({ ...sample, role: text, ballot: text })),
    feeds: report.feeds.map((feed) => ({ ...feed, name: text, ended: text })),
    history: report.history.map((event) => ({
      ...event,
      process: `${event.process}${text}`,
      key: text,
      ...(event.value !== undefined && { value: { [text]: text } }),
      ...(event.error !== undefined && { error: text }),
    })),
  }
}
