/** Which pages may connect, and by which names a server answers. */
import { isAllowedOrigin, isOwnName } from '@synod/paxos/internal/transport/origin'
import type { OwnNames } from '@synod/paxos/internal/transport/origin'
import t from 'tap'

/** Server 1 of three on this machine. */
const LOCAL: OwnNames = {
  bind: '127.0.0.1',
  advertised: ['127.0.0.1:10001'],
  cluster: ['127.0.0.1:10000', '127.0.0.1:10001', '127.0.0.1:10002'],
}
/** Server 1 of three machines. */
const REMOTE: OwnNames = {
  bind: '10.0.0.2',
  advertised: ['Node1.example:10000'],
  cluster: ['node0.example:10000', 'Node1.example:10000', '[2001:db8::3]:10000'],
}
const OWN = '127.0.0.1:10001'

const cases: readonly (readonly [what: string, own: OwnNames, origin: string | undefined, host: string | undefined, allowed: boolean])[] = [
  ['no browser', LOCAL, undefined, OWN, true],
  ['no browser, by whatever name', LOCAL, undefined, 'alias:10001', true],
  ["the server's own page", LOCAL, 'http://127.0.0.1:10001', OWN, true],
  ["the server's own page, by a loopback name", LOCAL, 'http://localhost:10001', 'localhost:10001', true],
  ['its own page through a tunnel', LOCAL, 'http://localhost:8080', 'localhost:8080', true],
  ["another server's page", LOCAL, 'http://127.0.0.1:10000', OWN, true],
  ["another server's page, by a loopback name", LOCAL, 'http://localhost:10002', OWN, true],
  ["another server's page, by the IPv6 loopback", LOCAL, 'http://[::1]:10000', OWN, true],
  ['a page of another port of this machine', LOCAL, 'http://127.0.0.1:3000', OWN, false],
  ['a page of another port, by a loopback name', LOCAL, 'http://localhost:9999', 'localhost:10001', false],
  ['a page without a port', LOCAL, 'http://localhost', OWN, false],
  ['a foreign page', LOCAL, 'http://evil.example', OWN, false],
  ["a foreign page on a server's port", LOCAL, 'http://evil.example:10000', OWN, false],
  ['a foreign name that points here', LOCAL, 'http://evil.example:10001', 'evil.example:10001', false],
  ["another server's page that asks by a foreign name", LOCAL, 'http://127.0.0.1:10000', 'evil.example:10001', false],
  ['a name that only begins like an own one', LOCAL, 'http://127.0.0.1.evil.example:10001', '127.0.0.1.evil.example:10001', false],
  ['a page without an origin', LOCAL, 'null', OWN, false],
  ['a page of an extension', LOCAL, 'chrome-extension://127.0.0.1:10001', OWN, false],
  ['nonsense', LOCAL, 'nonsense', OWN, false],
  ['a page, but nobody was asked for', LOCAL, 'http://127.0.0.1:10001', undefined, false],
  ['the page of another machine', REMOTE, 'http://node0.example:10000', 'node1.example:10000', true],
  ['its own page, in the case that a browser has it', REMOTE, 'http://node1.example:10000', 'node1.example:10000', true],
  ['a page that asks for the bound address', REMOTE, 'http://node0.example:10000', '10.0.0.2:10000', true],
  ['the page of an IPv6 address', REMOTE, 'http://[2001:db8::3]:10000', 'node1.example:10000', true],
  ['a page of another port of a machine', REMOTE, 'http://node0.example:80', 'node1.example:10000', false],
  ['a loopback page, where none is advertised there', REMOTE, 'http://localhost:10000', '10.0.0.2:10000', false],
] // prettier-ignore

for (const [what, own, origin, host, allowed] of cases) {
  t.test(`${allowed ? 'let in' : 'refused'}: ${what}`, (t) => {
    t.equal(isAllowedOrigin(origin, host, own), allowed)
    t.end()
  })
}

t.test('a server is known by its own names only', (t) => {
  const names: readonly (readonly [OwnNames, string, boolean])[] = [
    [LOCAL, '127.0.0.1:10001', true],
    [LOCAL, 'LOCALHOST:10001', true],
    [LOCAL, '[::1]:10001', true],
    [LOCAL, '127.0.0.2', true],
    [LOCAL, '10.0.0.2:10001', false],
    [LOCAL, 'evil.example', false],
    [LOCAL, 'localhost.evil.example:10001', false],
    [LOCAL, 'evil.example@127.0.0.1:10001', false],
    [LOCAL, '127.0.0.1:10001/../evil', false],
    [LOCAL, '', false],
    [LOCAL, 'a b', false],
    [REMOTE, 'node1.example:10000', true],
    [REMOTE, 'node1.example', false],
    [REMOTE, 'node0.example:10000', false],
    [{ ...REMOTE, advertised: ['node1.example:443'] }, 'node1.example', true],
    [{ ...REMOTE, bind: '0.0.0.0' }, '192.168.1.7:10000', true],
    [{ ...REMOTE, bind: '::' }, '[2001:db8::7]:10000', true],
    [{ ...REMOTE, bind: '::' }, 'evil.example:10000', false],
    [{ ...REMOTE, bind: 'fe80::1' }, '[FE80::1]:10000', true],
  ]
  for (const [own, host, known] of names) t.equal(isOwnName(host, own), known, `${own.bind}: ${host}`)
  t.end()
})
