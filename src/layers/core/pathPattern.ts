import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { nearest } from '../../shape/nearest.js'
import { problem, type Problem } from '../../shape/problem.js'

/** One pattern or several. */
export type Patterns = string | readonly string[]

/** Patterns as a list. */
export const patternList = (patterns: Patterns): readonly string[] => (typeof patterns === 'string' ? [patterns] : patterns)

/**
 * Whether a path is one that a pattern means. In a pattern `*` stands for any one part or piece of a part, `**` for
 * any number of parts, `{a,b}` for one of several and `{0..5}` for one of a row of numbers. What is written at its
 * end counts: `blocks.0` is the block, `blocks.0.**` all that is inside it.
 *
 * Errors: `badPattern`.
 *
 * @example
 * pathPattern('blocks.{0..3}.attn').right('blocks.2.attn') // true
 */
export const pathPattern = (pattern: string): Either<Problem, (path: string) => boolean> => {
  const wrong = misspelt(pattern)
  if (wrong !== undefined) return left(wrong)
  const expression = new RegExp(`^${partsOf(pattern).map(asExpression).join('')}$`)
  return right(path => expression.test(path))
}

const misspelt = (pattern: string): Problem | undefined => {
  const flat = String(pattern).replace(/\{[^{}]+\}/g, 'x')
  return typeof pattern === 'string' && /^[\w*.]+$/.test(flat) && flat.split('.').every(part => part !== '') && /^[\w*.{},]+$/.test(pattern)
    ? undefined
    : problem('badPattern', `'${String(pattern)}' is no pattern of paths`, { remedy: 'a pattern is a path such as blocks.3.attn, where * is any one part, ** any number of parts, {0,1} and {0..5} one of several' })
}

/** The parts between dots, those inside braces not counted. */
const partsOf = (pattern: string): readonly string[] => pattern.match(/(?:\{[^{}]*\}|[^.{}])+/g) ?? []

/** A part with the dot that joins it to the others. */
const asExpression = (part: string, at: number, all: readonly string[]): string => {
  const dot = at === 0 || all[at - 1] === '**' && at === 1 ? '' : '\\.'
  if (part !== '**') return dot + part.replace(/\{([^{}]*)\}/g, (_, list: string) => `(?:${alternatives(list).map(literal).join('|')})`).replace(/\*/g, '[^.]*')
  // At the end it is at least one part; elsewhere it may be none.
  return at === all.length - 1 ? `${dot}.+` : at === 0 ? '(?:.+\\.)?' : '(?:\\..+)?'
}
const literal = (text: string): string => text.replaceAll('.', '\\.')
const alternatives = (list: string): readonly string[] =>
  list.split(',').flatMap(word => {
    const [, first, last] = /^(\d+)\.\.(\d+)$/.exec(word) ?? []
    return first === undefined ? [word] : Array.from({ length: Math.max(0, Number(last) - Number(first) + 1) }, (_, i) => String(Number(first) + i))
  })

/**
 * Says that nothing is where a pattern points, and what is near: the names that do follow the part of the pattern
 * that is right.
 *
 * @example
 * unknownPath('freeze', 'blocks.0.atn', ['blocks.0.attn', 'blocks.0.mlp']).remedy // "did you mean 'blocks.0.attn'?"
 */
export const unknownPath = (who: string, pattern: string, paths: readonly string[]): Problem => {
  const parts = partsOf(pattern)
  const says = (remedy: string): Problem => problem('unknownPath', `${who}: there is nothing at '${pattern}'`, { actual: pattern, remedy })
  for (let right = parts.length - 1; right >= 0; right--) {
    const before = parts.slice(0, right)
    const following = [...new Set(paths.flatMap(path => nextParts(path, before)))]
    if (following.length === 0) continue
    // Numbers look alike and are not.
    const near = /^\d+$/.test(parts[right]!) ? undefined : nearest(parts[right]!, following)
    const place = (name: string): string => [...before, name, ...parts.slice(right + 1)].join('.')
    if (near !== undefined && near !== parts[right]) return says(`did you mean '${place(near)}'?`)
    return says(`${right === 0 ? 'there are' : `in '${before.join('.')}' there are`}: ${following.slice(0, 12).join(', ')}${following.length > 12 ? ', …' : ''}`)
  }
  return says('the model has no names at all')
}

/** The parts of a path that follow where some parts of a pattern end. */
const nextParts = (path: string, before: readonly string[]): readonly string[] => {
  const names = path.split('.')
  if (before.length === 0) return [names[0]!]
  const matches = pathPattern(before.join('.'))
  return matches._tag === 'Left' ? [] : names.filter((_, i) => i > 0 && matches.right(names.slice(0, i).join('.')))
}
