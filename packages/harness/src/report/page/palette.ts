/** The colours of the page and of its drawings. What they tell is told by shape or text as well. */

/** CSS colours, each with six digits: drawings add two for transparency. */
export interface Palette {
  readonly page: string
  readonly panel: string
  readonly line: string
  readonly text: string
  readonly muted: string
  readonly passed: string
  readonly failed: string
  readonly ok: string
  readonly fail: string
  readonly info: string
  /** Texts on bars: of ok and info, and of fail. */
  readonly onDark: string
  readonly onFail: string
  readonly leader: string
  readonly follower: string
  readonly candidate: string
  readonly network: string
  readonly server: string
  readonly disk: string
  readonly clock: string
}

/** For a light page, and for paper. */
export const LIGHT: Palette = {
  page: '#ffffff',
  panel: '#f4f6f8',
  line: '#d5dae1',
  text: '#1b1f24',
  muted: '#57606a',
  passed: '#1a7f4b',
  failed: '#cf222e',
  ok: '#2f6fb5',
  fail: '#e09c1a',
  info: '#9a45b8',
  onDark: '#ffffff',
  onFail: '#1b1f24',
  leader: '#12775c',
  follower: '#b5dccf',
  candidate: '#e8c476',
  network: '#4b6a9b',
  server: '#6b7280',
  disk: '#9a5b13',
  clock: '#6d4bc4',
}

/** For a dark page. */
export const DARK: Palette = {
  page: '#14171c',
  panel: '#1e232a',
  line: '#3a424d',
  text: '#e6e9ed',
  muted: '#9aa5b1',
  passed: '#4cc38a',
  failed: '#ff6b6b',
  ok: '#4c8fd6',
  fail: '#e9ad3a',
  info: '#b866d6',
  onDark: '#ffffff',
  onFail: '#14171c',
  leader: '#1f9a78',
  follower: '#234a40',
  candidate: '#7a6020',
  network: '#86a5d8',
  server: '#9aa3af',
  disk: '#d79a55',
  clock: '#a98bf0',
}
