import { mostConnections } from '@synod/paxos/internal/transport/open-files'
import t from 'tap'

const limits = (files: string): string => `Limit                     Soft Limit           Hard Limit           Units
Max processes             96000                96000                processes
Max open files            ${files.padEnd(20)} 1048576              files
Max locked memory         67108864             67108864             bytes
`

t.test('connections leave files for the log', (t) => {
  t.equal(mostConnections(limits('1024')), 768)
  t.equal(mostConnections(limits('100')), 1)
  t.equal(mostConnections(limits('1048576')), 16_384)
  t.equal(mostConnections(limits('unlimited')), 16_384)
  t.equal(mostConnections(''), 16_384, 'a system that does not tell')
  t.ok(mostConnections() <= 16_384)
  t.end()
})
