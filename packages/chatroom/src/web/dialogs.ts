/** Questions to the user, each in a dialog of its own. */
import { button, element } from './dom.js'

interface Question {
  readonly title: string
  readonly text?: string
  /** A line to be filled in. */
  readonly line?: {
    readonly label: string
    readonly value: string
    /** What is wrong with it, as one sentence. */
    readonly check: (value: string) => string | null
  }
  readonly yes: string
  /** Whether what follows cannot be undone. */
  readonly isGrave?: boolean
  /** Without it the question must be answered. */
  readonly no?: string
}

let questions = 0

/** Asks; gives the line (or an empty one), or null for no. */
export function ask({ title, text, line, yes, isGrave = false, no }: Question): Promise<string | null> {
  const id = `question-${++questions}`
  const dialog = element('dialog', { 'aria-labelledby': id })
  const form = element('form', {}, element('h2', { id }, title))
  form.method = 'dialog'
  form.noValidate = true
  if (text !== undefined) form.append(element('p', {}, text))
  const input = element('input', { id: `${id}-line`, dir: 'auto', 'aria-describedby': `${id}-wrong` })
  const wrong = element('p', { className: 'wrong', id: `${id}-wrong`, role: 'alert' })
  if (line !== undefined) {
    const label = element('label', {}, line.label)
    label.htmlFor = input.id
    input.value = line.value
    input.setAttribute('autocomplete', 'nickname')
    form.append(label, input, wrong)
  }
  const buttons = element('div', { className: 'buttons' })
  if (no !== undefined) buttons.append(button(no, 'plain', () => dialog.close('no')))
  buttons.append(element('button', { className: isGrave ? 'danger' : 'main' }, yes))
  form.append(buttons)
  dialog.append(form)
  const value = (): string => input.value.trim()
  const say = (): void => {
    wrong.textContent = line?.check(value()) ?? ''
  }
  input.addEventListener('input', () => {
    if (wrong.textContent !== '') say()
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    say()
    if (wrong.textContent === '') dialog.close('yes')
    else input.focus()
  })
  dialog.addEventListener('cancel', (event) => {
    if (no === undefined) event.preventDefault()
  })
  document.body.append(dialog)
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      // A browser may close what must be answered, when it is told to twice.
      if (dialog.returnValue !== 'yes' && no === undefined) {
        dialog.showModal()
        return
      }
      dialog.remove()
      resolve(dialog.returnValue === 'yes' ? value() : null)
    })
    dialog.showModal()
    input.select()
  })
}
