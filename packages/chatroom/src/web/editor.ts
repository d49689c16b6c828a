/** A message is edited in its place. */
import { fit, isEnter } from './composer.js'
import { button, element } from './dom.js'
import { asSent, showLimit } from './limit.js'

export interface EditorHost {
  /** Rejects with a reason that people can read. */
  save(text: string): Promise<void>
  /** It is over; the focus should go back to the message. */
  done(): void
}

/** A form that stands in the place of the message's body. */
export function editor(text: string, host: EditorHost): HTMLFormElement {
  const field = element('textarea', { dir: 'auto', 'aria-label': 'Edit your message' })
  field.value = text
  field.rows = 1
  const limit = element('p', { className: 'hint', role: 'status' })
  const save = element('button', { className: 'main' }, 'Save')
  const cancel = button('Cancel', 'plain', () => host.done())
  const form = element('form', {}, field, save, cancel, limit)
  let isSaving = false
  const submit = async (): Promise<void> => {
    if (isSaving || !showLimit(field.value, limit)) return
    isSaving = true
    limit.textContent = 'Saving…'
    try {
      await host.save(asSent(field.value))
      host.done()
    } catch (error) {
      limit.classList.add('over')
      limit.textContent = `Not saved: ${error instanceof Error ? error.message : String(error)}.`
    }
    isSaving = false
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void submit()
  })
  field.addEventListener('input', () => {
    showLimit(field.value, limit)
    fit(field)
  })
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') host.done()
    else if (event.target === field && isEnter(event)) {
      event.preventDefault()
      void submit()
    } else return
    event.stopPropagation()
  })
  // It has a size once it is in the page.
  queueMicrotask(() => {
    fit(field)
    field.focus()
    form.scrollIntoView({ block: 'nearest' })
    field.setSelectionRange(field.value.length, field.value.length)
  })
  return form
}
