/** `node --import` this: servers keep no chain over what they execute. For a comparison only. */
import { register } from 'node:module'

register('./chainless-hook.js', import.meta.url)
