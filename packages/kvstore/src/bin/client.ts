import { runClient } from '@synod/terminal'
import { main } from '../cli/main.js'

await runClient(main)
