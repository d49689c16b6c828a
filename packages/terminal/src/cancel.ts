/** Not waiting any longer. */
import { CancelledError } from './exit.js'

/** Waits for the work, or throws {@link CancelledError} when the user does not want to wait any longer. */
export async function orCancelled<T>({ signal }: { readonly signal: AbortSignal }, work: Promise<T>): Promise<T> {
  let cancel = (): void => undefined
  const cancelled = new Promise<never>((_resolve, reject) => {
    cancel = () => {
      reject(new CancelledError())
    }
    if (signal.aborted) cancel()
    else signal.addEventListener('abort', cancel)
  })
  try {
    return await Promise.race([work, cancelled])
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}
