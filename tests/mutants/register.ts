/** `node --import` this: the hook sees every module that is loaded afterwards. */
import { register } from 'node:module'

register('./hook.js', import.meta.url)
