/** The parts of the page that its script works on. */

/** What the timeline draws on. */
export interface Elements {
  readonly chart: HTMLElement
  readonly canvas: HTMLCanvasElement
  readonly overview: HTMLCanvasElement
  readonly tip: HTMLElement
}

/** The element with the id, of the kind that is expected. Throws if there is none such. */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id)
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`)
  return found
}

/** Makes a canvas as large as it is seen, and as sharp as the screen is. */
export function prepare(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const density = Math.min(window.devicePixelRatio, 2)
  canvas.width = Math.max(1, Math.round(width * density))
  canvas.height = Math.max(1, Math.round(height * density))
  canvas.style.height = `${height}px`
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('this browser cannot draw')
  context.scale(density, density)
  return context
}
