/** Asks the server that the page came from how the cluster stands, again and again, as long as somebody looks. */
import type { ClusterView } from './view.js'

/** Begun so often (ms), and at least so long after the last answer. */
const EVERY = 1_000
const PAUSE = 200
/** Without an answer after this time (ms) the server is taken to be gone. */
const PATIENCE = 4_000

export interface PollHandlers {
  answered(view: ClusterView): void
  /** It did not answer. */
  failed(): void
}

/** Polls from now on; not while the page is hidden. */
export function poll(handlers: PollHandlers): void {
  let timer: number | undefined
  let isAsking = false
  const ask = async (): Promise<void> => {
    clearTimeout(timer)
    if (isAsking || document.hidden) return
    isAsking = true
    const began = performance.now()
    try {
      handlers.answered(await fetchView())
    } catch {
      handlers.failed()
    }
    isAsking = false
    timer = setTimeout(() => void ask(), Math.max(PAUSE, EVERY - (performance.now() - began)))
  }
  document.addEventListener('visibilitychange', () => void ask())
  void ask()
}

async function fetchView(): Promise<ClusterView> {
  const response = await fetch('status.json', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
  if (!response.ok) throw new Error(`status ${response.status}`)
  return (await response.json()) as ClusterView
}
