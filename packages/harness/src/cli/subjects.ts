/** Which service `--server` and `--service` mean. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { anySubject } from '../subject/any.js'
import { chatSubject } from '../subject/chatroom.js'
import { kvSubject } from '../subject/kvstore.js'
import type { AnyService, Subject } from '../subject/subject.js'
import { UsageError } from './usage.js'

/**
 * @param server `kvstore`, `chatroom`, or the path to a server command
 * @param module the path to a module that exports the service of that command
 */
export async function subjectOf(server: string, module: string | undefined): Promise<Subject> {
  if (server === kvSubject.name || server === chatSubject.name) {
    if (module !== undefined) throw new UsageError(`--service is for services of your own: ${server} is known`)
    return server === kvSubject.name ? kvSubject : chatSubject
  }
  if (!existsSync(server)) throw new UsageError(`--server ${server}: it is neither kvstore nor chatroom, nor a file`)
  if (module === undefined) return anySubject(basename(server), undefined)
  const service = await serviceIn(module)
  return anySubject(service.name, service)
}

/** The service that a module exports. Throws {@link UsageError}. */
export async function serviceIn(module: string): Promise<AnyService> {
  if (!existsSync(module)) throw new UsageError(`--service ${module}: there is no such file`)
  let exports: object
  try {
    exports = (await import(pathToFileURL(resolve(module)).href)) as object
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new UsageError(`--service ${module}: it cannot be loaded: ${why}`)
  }
  const services = Object.values(exports).filter(isService)
  const [service] = services
  if (service === undefined || services.length > 1)
    throw new UsageError(
      `--service ${module}: it must export one service, made by defineService; it exports ${services.length}`,
    )
  return service
}

function isService(value: unknown): value is AnyService {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    'op' in value &&
    'state' in value &&
    typeof value.state === 'function'
  )
}
