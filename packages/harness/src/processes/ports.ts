/** Ports for servers that are started later, and again. */
import { createServer } from 'node:net'
import type { ListenOptions } from 'node:net'

/**
 * Ports of 127.0.0.1 that nobody listens on, below those that the kernel gives to outgoing connections. Until this process
 * ends, no other that asks here gets them: a server may be down for a while, and come back to its port.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if ((await claim(port)) && (await canListen({ port, host: '127.0.0.1' }, 'briefly'))) ports.push(port)
  }
  return ports
}

/** Takes a name that only one process can have, and that the kernel frees with it. */
function claim(port: number): Promise<boolean> {
  return canListen({ path: `\0synod-port-${port}` }, 'for good')
}

function canListen(where: ListenOptions, howLong: 'briefly' | 'for good'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer((connection) => connection.destroy())
    probe.once('error', () => {
      resolve(false)
    })
    probe.listen(where, () => {
      probe.unref()
      if (howLong === 'for good') resolve(true)
      else probe.close(() => resolve(true))
    })
  })
}
