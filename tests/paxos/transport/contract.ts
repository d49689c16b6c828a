/** The delivery contract, for any transport: packages/paxos/src/transport/transport.ts. */
import type { Connection, ConnectionHandlers, Transport } from '@synod/paxos/internal/transport/transport'
import { MAX_FRAME } from '@synod/paxos/internal/transport/transport'
import type { Test } from 'tap'

export interface Subject {
  /** An endpoint on this address, or on a free one, which is known once it listens. */
  create(address?: string): { readonly transport: Transport; readonly address: () => string }
  /** An address where nobody listens. */
  readonly nowhere: string
  /** Lets the world go on until this is done. */
  settling(promise: Promise<void>): Promise<void>
  /** Lets the world go on until the condition holds. */
  until(what: string, condition: () => boolean): Promise<void>
  /** Lets the world go on for a while. */
  rest(): Promise<void>
}

/** One end, and what it heard. */
export class End implements ConnectionHandlers {
  readonly heard: string[] = []
  readonly frames: Uint8Array[] = []
  connection: Connection | undefined
  /** Set while the owner is in a call of its own. */
  inside = false
  onFrame: ((bytes: Uint8Array) => void) | undefined
  onOpened: (() => void) | undefined

  opened(): void {
    this.#hear('opened')
    this.onOpened?.()
  }

  frame(bytes: Uint8Array): void {
    this.#hear(`frame of ${bytes.length}`)
    this.frames.push(bytes)
    this.onFrame?.(bytes)
  }

  closed(reason: string): void {
    this.#hear(`closed: ${reason}`)
  }

  get isOpen(): boolean {
    return this.heard.includes('opened') && !this.isClosed
  }

  get isClosed(): boolean {
    return this.heard.some((line) => line.startsWith('closed'))
  }

  /** Calls the connection as its owner would. */
  call<T>(act: (connection: Connection) => T): T {
    if (this.connection === undefined) throw new Error('no connection yet')
    this.inside = true
    try {
      return act(this.connection)
    } finally {
      this.inside = false
    }
  }

  #hear(line: string): void {
    if (this.inside) throw new Error(`"${line}" came from within the owner's own call`)
    if (this.isClosed) throw new Error(`"${line}" came after closed`)
    this.heard.push(line)
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const texts = (end: End): string[] => end.frames.map((frame) => new TextDecoder().decode(frame))

export function contract(t: Test, subject: Subject): void {
  const started: Transport[] = []
  const create = (address?: string): ReturnType<Subject['create']> => {
    const made = subject.create(address)
    started.push(made.transport)
    return made
  }
  t.afterEach(async () => {
    for (const transport of started.splice(0)) await subject.settling(transport.close())
  })

  /** A listening endpoint, one that dialed it, and the two ends. */
  async function pair(): Promise<{
    server: Transport
    client: Transport
    accepted: End
    dialed: End
    address: string
  }> {
    const { transport: server, address } = create()
    const { transport: client } = create()
    const ends: End[] = []
    await server.listen((connection) => {
      const end = new End()
      end.connection = connection
      ends.push(end)
      return end
    })
    const dialed = dial(client, address())
    await subject.until('both ends are open', () => ends[0]?.isOpen === true && dialed.isOpen)
    const [accepted] = ends
    if (accepted === undefined) throw new Error('nobody was accepted')
    return { server, client, accepted, dialed, address: address() }
  }

  function dial(client: Transport, address: string): End {
    const end = new End()
    end.inside = true
    end.connection = client.dial(address, end)
    end.inside = false
    return end
  }

  t.test('frames arrive whole, in order, in both directions', async (t) => {
    const { accepted, dialed } = await pair()
    dialed.call((connection) => connection.send(bytes('one')))
    dialed.call((connection) => connection.send(bytes('')))
    accepted.call((connection) => connection.send(bytes('to you')))
    dialed.call((connection) => connection.send(bytes('three')))
    await subject.until('all frames are there', () => accepted.frames.length === 3 && dialed.frames.length === 1)
    t.strictSame(texts(accepted), ['one', '', 'three'])
    t.strictSame(texts(dialed), ['to you'])
  })

  t.test('thousands of frames that were sent in one turn arrive in order', async (t) => {
    const { accepted, dialed } = await pair()
    const sent = Array.from({ length: 5000 }, (_, i) => `frame ${i} ${'x'.repeat(i % 300)}`)
    for (const text of sent) dialed.call((connection) => connection.send(bytes(text)))
    await subject.until('all frames are there', () => accepted.frames.length === sent.length)
    t.strictSame(texts(accepted), sent)
  })

  t.test('a frame may be as large as the limit', async (t) => {
    const { accepted, dialed } = await pair()
    dialed.call((connection) => connection.send(new Uint8Array(MAX_FRAME).fill(7)))
    await subject.until('it is there', () => accepted.frames.length === 1)
    t.equal(accepted.frames[0]?.length, MAX_FRAME)
    t.ok(accepted.frames[0]?.every((byte) => byte === 7))
  })

  t.test('an oversize frame closes its connection and nothing else', async (t) => {
    const { client, accepted, dialed, address } = await pair()
    const bystander = dial(client, address)
    await subject.until('the second one is open', () => bystander.isOpen)
    dialed.call((connection) => connection.send(new Uint8Array(MAX_FRAME + 1)))
    await subject.until('the connection is closed', () => dialed.isClosed && accepted.isClosed)
    await subject.rest()
    t.equal(accepted.frames.length, 0)
    t.ok(bystander.isOpen)
  })

  t.test('a frame that is kept is not changed by later ones, nor by its sender', async (t) => {
    const { accepted, dialed } = await pair()
    const frame = bytes('keep me')
    dialed.call((connection) => connection.send(frame))
    await subject.until('it is there', () => accepted.frames.length === 1)
    frame.fill(0)
    for (let i = 0; i < 100; i++) dialed.call((connection) => connection.send(new Uint8Array(1000).fill(i)))
    await subject.until('the others are there', () => accepted.frames.length === 101)
    t.equal(texts(accepted)[0], 'keep me')
  })

  t.test('what was sent before a close arrives, then both ends are closed with its reason, once', async (t) => {
    const { accepted, dialed } = await pair()
    dialed.call((connection) => {
      connection.send(bytes('last words'))
      connection.close('I am done')
      connection.close('again')
      connection.send(bytes('too late'))
    })
    await subject.until('both ends are closed', () => accepted.isClosed && dialed.isClosed)
    await subject.rest()
    t.strictSame(texts(accepted), ['last words'])
    t.equal(accepted.heard.at(-1), 'closed: I am done')
    t.equal(dialed.heard.at(-1), 'closed: I am done')
  })

  t.test('after its own close an owner hears nothing but that it is closed', async (t) => {
    const { accepted, dialed } = await pair()
    for (let i = 0; i < 10; i++) accepted.call((connection) => connection.send(bytes('for you')))
    dialed.call((connection) => connection.close('not interested'))
    await subject.until('both ends are closed', () => accepted.isClosed && dialed.isClosed)
    t.strictSame(dialed.heard, ['opened', 'closed: not interested'])
  })

  t.test('a reason of any length is no harm', async (t) => {
    const { accepted, dialed } = await pair()
    dialed.call((connection) => connection.close('ü'.repeat(1000)))
    await subject.until('both ends are closed', () => accepted.isClosed && dialed.isClosed)
    t.match(accepted.heard.at(-1), /^closed: ü{50}/)
  })

  t.test('a dial to nowhere is closed once, with a reason, and nothing else', async (t) => {
    const { transport } = create()
    const end = dial(transport, subject.nowhere)
    end.call((connection) => connection.send(bytes('lost')))
    await subject.until('it is closed', () => end.isClosed)
    await subject.rest()
    t.equal(end.heard.length, 1)
    t.match(end.heard[0], /^closed: .+/)
    t.equal(end.connection?.buffered, 0)
  })

  t.test('a dial that is given up before it is open is closed once', async (t) => {
    const { transport: server, address } = create()
    await server.listen(() => new End())
    const { transport: client } = create()
    const end = dial(client, address())
    end.call((connection) => connection.close('changed my mind'))
    await subject.until('it is closed', () => end.isClosed)
    await subject.rest()
    t.strictSame(end.heard, ['closed: changed my mind'])
  })

  t.test('handlers may send and close from within their own calls', async (t) => {
    const { accepted, dialed } = await pair()
    accepted.onFrame = (frame) => {
      accepted.call((connection) => {
        connection.send(frame)
        connection.close('answered')
      })
    }
    dialed.call((connection) => connection.send(bytes('echo')))
    await subject.until('both ends are closed', () => accepted.isClosed && dialed.isClosed)
    t.strictSame(texts(dialed), ['echo'])
  })

  t.test('what was sent and has not left is counted', async (t) => {
    const { accepted, dialed } = await pair()
    t.equal(dialed.connection?.buffered, 0)
    dialed.call((connection) => connection.send(new Uint8Array(1 << 20)))
    t.ok((dialed.connection?.buffered ?? 0) >= 1 << 20)
    await subject.until('it has left', () => accepted.frames.length === 1 && dialed.connection?.buffered === 0)
  })

  t.test('closing a transport ends its connections both ways, and lets nobody in', async (t) => {
    const { server, client, accepted, dialed, address } = await pair()
    const other = create()
    const outgoing = new End()
    await other.transport.listen(() => outgoing)
    const second = dial(server, other.address())
    await subject.until('it is open', () => second.isOpen && outgoing.isOpen)
    await subject.settling(server.close())
    await subject.until('all ends are closed', () => [accepted, dialed, second, outgoing].every((end) => end.isClosed))
    const late = dial(client, address)
    await subject.until('the late one is closed', () => late.isClosed)
    t.notOk(late.heard.includes('opened'))
  })

  t.test('a transport that never listened can be closed', async () => {
    await subject.settling(create().transport.close())
  })

  t.test('an address in use is refused with one sentence', async (t) => {
    const { transport, address } = create()
    await transport.listen(() => new End())
    const { transport: second } = create(address())
    await t.rejects(
      second.listen(() => new End()),
      { code: 'ADDRESS_IN_USE', message: /in use/ },
    )
  })
}
