/**
 * Who may import whom, and what the pure core must not touch (docs/ARCHITECTURE.md). One function that takes sources
 * and returns sentences, so that it can be tried on wrong samples as well as on the repository.
 */
import { posix } from 'node:path'
import ts from 'typescript'

export interface Source {
  /** From the repository's root, with slashes: `packages/paxos/src/protocol/leader.ts`. */
  readonly path: string
  readonly text: string
}

const MAX_LINES = 400

/** The folders of packages/paxos/src, and the folders that each may import besides itself. */
const PAXOS_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  storage: ['protocol', 'codec'],
  codec: ['protocol'],
  transport: ['protocol', 'codec'],
  service: ['protocol', 'codec'],
  client: ['protocol', 'transport', 'service'],
  browser: ['protocol', 'transport', 'service', 'client'],
  'status-page': [],
  'log-tool': ['protocol', 'storage', 'codec', 'transport', 'server'],
  server: ['protocol', 'storage', 'codec', 'transport', 'service', 'status-page'],
}

/** Time, chance and turn-taking are a seam of the whole outside: every folder may import it but these. */
const CLOCK = 'packages/paxos/src/clock.ts'
const TIMELESS = ['protocol', 'codec', 'service']

/** What runs in browsers; the rest of what a browser loads is found out by bundling it. */
const FOR_BROWSERS = /^packages\/(paxos\/src\/browser|chatroom\/src\/(web|live))\//

/** Imports what its user names: that is its purpose. */
const LOADER = 'packages/harness/src/cli/subjects.ts'

/** Only paxos.ts, which composes them, knows these, and its two parts: the leader's side, and the voter's. */
const ROLES = ['replica', 'leader', 'scout', 'commander', 'acceptor'].map(
  (role) => `packages/paxos/src/protocol/${role}.ts`,
)
const COMPOSER = 'packages/paxos/src/protocol/paxos.ts'
const PARTS: Readonly<Record<string, readonly string[]>> = {
  'packages/paxos/src/protocol/leadership.ts': ['leader', 'scout', 'commander'],
  'packages/paxos/src/protocol/voter.ts': ['acceptor'],
}

/** What the other packages may import of the workspace. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  paxos: [],
  terminal: [/^@synod\/paxos$/],
  kvstore: [/^@synod\/(paxos|terminal)$/],
  chatroom: [/^@synod\/(paxos|terminal)$/],
  harness: [/^@synod\/(paxos|kvstore|chatroom)$/, /^@synod\/paxos\/internal\/.+$/],
}

/** Names that bring time, chance, turns, the outside, or the machine's language into a replicated computation. */
const IMPURE = new Set(
  `Date performance process console crypto Intl globalThis global Buffer require fetch WebSocket WeakRef
  FinalizationRegistry setTimeout setInterval setImmediate clearTimeout clearInterval clearImmediate queueMicrotask
  structuredClone`.split(/\s+/),
)
/** Methods whose outcome depends on the machine's language. */
const IMPURE_METHODS = new Set(['localeCompare', 'toLocaleString', 'toLocaleLowerCase', 'toLocaleUpperCase'])

/** One sentence for each breach, led by `path:line`. */
export function breaches(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => breachesOf(source))
}

function breachesOf({ path, text }: Source): string[] {
  const found: string[] = []
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true)
  const report = (node: ts.Node, sentence: string) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
    found.push(`${path}:${line + 1} ${sentence}`)
  }
  const lines = text.split('\n').length - 1
  if (lines >= MAX_LINES) report(file, `has ${lines} lines; a file is one idea, and has fewer than ${MAX_LINES}`)

  const isPure = path.startsWith('packages/paxos/src/protocol/')
  const visit = (node: ts.Node): void => {
    const specifier = importedBy(node)
    if (specifier === null && path !== LOADER)
      report(node, 'imports what is computed at run time, which cannot be checked')
    else if (typeof specifier === 'string') {
      const why = importBreach(path, specifier)
      if (why) report(node, `imports ${specifier}: ${why}`)
    }
    // A declaration file tells what another's package exports.
    if (isDefaultExport(node) && !path.endsWith('.d.ts')) report(node, 'exports a default; export by name')
    if (node.kind === ts.SyntaxKind.AnyKeyword) report(node, 'says "any"')
    const impure = isPure ? impurity(node) : undefined
    if (impure) report(node, `uses ${impure}; time, chance and the outside reach the core as input only`)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

/** The module that a node imports; null if it is computed; undefined if the node imports nothing. */
function importedBy(node: ts.Node): string | null | undefined {
  let specifier: ts.Node | undefined
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
    specifier = node.moduleSpecifier
  } else if (ts.isExternalModuleReference(node)) {
    specifier = node.expression
  } else if (ts.isImportTypeNode(node)) {
    specifier = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument
  } else if (ts.isCallExpression(node)) {
    const isImport = node.expression.kind === ts.SyntaxKind.ImportKeyword
    const isRequire = ts.isIdentifier(node.expression) && node.expression.text === 'require'
    if (isImport || isRequire) specifier = node.arguments[0] ?? node
  }
  if (specifier === undefined) return undefined
  return ts.isStringLiteralLike(specifier) ? specifier.text : null
}

/** Why `path` may not import `specifier`; undefined if it may. */
function importBreach(path: string, specifier: string): string | undefined {
  const [, packageName] = /^packages\/([^/]+)\/src\//.exec(path) ?? []
  const isRelative = specifier.startsWith('.')
  if (FOR_BROWSERS.test(path) && /^(node:|ws$)/.test(specifier)) return 'a browser has nothing of Node'
  const target = isRelative ? posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts') : specifier
  if (!path.startsWith('tests/') && target.startsWith('tests/')) return 'nothing but a test imports tests'
  if (packageName === undefined) return undefined
  if (isRelative) {
    if (!target.startsWith(`packages/${packageName}/src/`)) return 'a package is imported by its name'
    return packageName === 'paxos' ? paxosBreach(path, target) : undefined
  }
  if (path.startsWith('packages/paxos/src/protocol/')) return 'protocol imports nothing outside itself'
  if (!specifier.startsWith('@synod/')) return undefined
  const allowed = PACKAGES[packageName]
  if (allowed === undefined) return `packages/${packageName} has no rule here yet`
  if (allowed.some((pattern) => pattern.test(specifier))) return undefined
  return `${packageName} may import ${allowed.length === 0 ? 'no other package' : 'only public APIs'} of the workspace`
}

function paxosBreach(path: string, target: string): string | undefined {
  const isPart = PARTS[path]?.some((role) => target.endsWith(`/${role}.ts`)) ?? false
  if (ROLES.includes(target) && path !== COMPOSER && !isPart) return 'only protocol/paxos.ts knows the roles'
  const from = paxosFolder(path)
  const to = paxosFolder(target)
  if (from === undefined || from === to) return undefined // index.ts is the way out of all folders
  if (target === CLOCK) return TIMELESS.includes(from) ? `${from} knows no time` : undefined
  if (to === undefined) return 'index.ts is for those outside the package'
  const allowed = PAXOS_FOLDERS[from]
  if (allowed === undefined) return `packages/paxos/src/${from} has no rule here yet`
  if (allowed.includes(to)) return undefined
  return `${from} may import ${allowed.length === 0 ? 'nothing outside itself' : `only ${allowed.join(', ')}`}`
}

/** `storage` for packages/paxos/src/storage/record.ts; undefined for a file beside the folders. */
function paxosFolder(path: string): string | undefined {
  return /^packages\/paxos\/src\/([^/]+)\//.exec(path)?.[1]
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true
  if (ts.isExportSpecifier(node) || ts.isNamespaceExport(node)) return node.name.text === 'default'
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some((m) => m.kind === ts.SyntaxKind.DefaultKeyword)
}

/** What impure thing a node names, if any. */
function impurity(node: ts.Node): string | undefined {
  if (ts.isMetaProperty(node)) return 'import.meta'
  if (ts.isAwaitExpression(node)) return 'await'
  if (!ts.isIdentifier(node)) return undefined
  if (IMPURE_METHODS.has(node.text)) return node.text
  if (isMemberName(node)) return undefined
  if (IMPURE.has(node.text)) return node.text
  if (node.text !== 'Math') return undefined
  // Math is fine as Math.max, and so on: not as a value, from which anything could be taken.
  const { parent } = node
  const isMember = ts.isPropertyAccessExpression(parent) && parent.name.text !== 'random'
  return isMember ? undefined : 'Math.random, or Math in a way that could be it'
}

/** Whether an identifier only names a member (`x.process`, `{ process: 1 }`), not the global of that name. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) {
    return (ts.isPropertyAccessExpression(parent) ? parent.name : parent.right) === node
  }
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  const isMember =
    ts.isPropertyAssignment(parent) ||
    ts.isPropertyDeclaration(parent) ||
    ts.isPropertySignature(parent) ||
    ts.isMethodDeclaration(parent) ||
    ts.isMethodSignature(parent) ||
    ts.isGetAccessorDeclaration(parent) ||
    ts.isSetAccessorDeclaration(parent)
  return isMember && parent.name === node
}
