/** Draws at most once a frame, however much happens in it. */

/** Calls `work` once, soon after this is called any number of times. A page that nobody sees has no frames. */
export function perFrame(work: () => void): () => void {
  let isDue = false
  const run = (): void => {
    isDue = false
    work()
  }
  return () => {
    if (isDue) return
    isDue = true
    if (document.visibilityState === 'visible') requestAnimationFrame(run)
    else setTimeout(run, 0)
  }
}
