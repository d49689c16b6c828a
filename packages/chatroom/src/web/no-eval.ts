/**
 * The servers' security policy forbids to make code of text. Zod would try, and the browser would report it: so zod is told
 * before the first schema is made. To be imported before all else.
 */
import { z } from 'zod'

z.config({ jitless: true })
