/** The end of all feeds: whoever listens must have heard everything, and the service's own judge must be content with it. */
import { counted } from '../report/text.js'
import { operationsOf } from '../history/operations.js'
import type { Announcement, Complaint, Evidence } from '../subject/subject.js'
import type { ServerState } from './agreement.js'
import { judgeFeeds } from './feed-judge.js'
import { poll } from './poll.js'
import type { Run } from './run.js'
import type { Heard } from './subscribers.js'
import { running } from './survey.js'

/** When nothing was heard for so long (ms), nothing more is expected. */
const QUIET = 300
/** Steps that do nothing to the cluster, and cannot make a session end that has a client. */
const CALM: ReadonlySet<string> = new Set([
  ...['Start', 'Sleep', 'Wait', 'Expect', 'Workload', 'Heal', 'Resume', 'Connect', 'Disconnect', 'Vanish'],
  ...[
    'Subscribe',
    'Unsubscribe',
    'Put',
    'Get',
    'Edit',
    'Erase',
    'Join',
    'Leave',
    'Who',
    'Set',
    'Delete',
    'Cas',
    'List',
  ],
  'Submit',
])

/** A subscriber can hear something as long as one of its servers runs. */
export function isLive(run: Run, { servers, state }: Heard): boolean {
  const up = running(run.world)
  return state === 'open' && servers.some((id) => up.includes(id))
}

/** What acknowledged operations have emitted. */
export function announcements({ recorder, subject }: Run): Announcement[] {
  const { operations } = operationsOf(recorder.events)
  return operations.flatMap((operation) => subject.announced(operation) ?? [])
}

/** Whether every subscriber that can has heard all that any has, and all that was acknowledged. */
export function haveCaughtUp(run: Run): boolean {
  const { all } = run.subscribers
  const complaints = judgeFeeds(all, null, announcements(run), (heard) => isLive(run, heard))
  return !complaints.some(({ mayPass }) => mayPass)
}

/** Checks `feeds`, and what the service checks besides, if the run has anything of the kind. */
export async function feedsOver(run: Run, final: ServerState | null, deadline: number): Promise<void> {
  const { world, subject, recorder, subscribers } = run
  const announced = announcements(run)
  const review = subject.review?.concerns(recorder.events) === true ? subject.review : null
  if (subscribers.all.length === 0 && announced.length === 0 && review === null) return
  if (running(world).length * 2 <= world.servers) {
    const detail = 'no majority of the servers runs in the end, so there is nobody to listen to'
    for (const name of ['feeds', ...(review === null ? [] : [review.check])]) run.check(name, null, detail)
    return
  }
  const from = world.now()
  let heard = subscribers.judge()
  const found: { feeds: readonly Complaint[]; review: readonly Complaint[] } = { feeds: [], review: [] }
  const look = (): boolean => {
    heard = subscribers.judge()
    found.feeds = judgeFeeds(subscribers.all, heard, announced, (one) => isLive(run, one))
    found.review = review?.complaints(evidenceOf(run, heard, final)) ?? []
    const all = [...found.feeds, ...found.review]
    return all.every(({ mayPass }) => !mayPass)
  }
  await poll(world, quietly(run, look), deadline - world.now())
  const window = { from, to: world.now() }
  tell(run, 'feeds', found.feeds, heldOf(run, heard, announced.length), window)
  if (review !== null) tell(run, review.check, found.review, review.held(evidenceOf(run, heard, final)), window)
}

/** Looks when nothing more was heard for a while; until then it is not over. */
function quietly(run: Run, look: () => boolean): () => boolean {
  const { world, subscribers } = run
  let [count, since] = [-1, world.now()]
  return () => {
    const now = [...subscribers.all, subscribers.judge()].reduce((sum, { events }) => sum + events.length, 0)
    if (now !== count) [count, since] = [now, world.now()]
    if (world.now() - since < QUIET) return false
    return look()
  }
}

function tell(
  run: Run,
  name: string,
  complaints: readonly Complaint[],
  held: string,
  window: { readonly from: number; readonly to: number },
): void {
  const [first, ...others] = complaints.toSorted((a, b) => Number(a.mayPass) - Number(b.mayPass))
  if (first === undefined) return run.check(name, true, held)
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`
  const when = first.mayPass ? `not within ${Math.round(window.to - window.from)} ms after healing: ` : ''
  run.check(name, false, `${when}${first.what}${more}`, window)
}

function evidenceOf(run: Run, heard: Heard, final: ServerState | null): Evidence {
  const { recorder, gone, scenario } = run
  const calm = scenario.steps.every(({ type }) => CALM.has(type))
  const { events: history, owners } = recorder
  return { history, owners, gone, from: heard.first ?? 1, feed: heard.events, final, calm }
}

function heldOf({ subscribers: { all } }: Run, judge: Heard, announced: number): string {
  const dropped =
    judge.first !== null && judge.first > 1 ? ` from slot ${judge.first} on (earlier ones were dropped)` : ''
  const whose = all.length === 0 ? '' : ` and ${counted(all.length, 'subscriber')}`
  const acknowledged = announced === 0 ? '' : `; ${counted(announced, 'acknowledged operation')} agree with them`
  const ended = all.flatMap(({ name, state }) =>
    typeof state === 'string' ? [] : [`; ${name} ended with ${state.code}`],
  )
  return `the judge${whose} heard ${counted(judge.events.length, 'event')}${dropped}, in order and once${acknowledged}${ended.join('')}`
}
