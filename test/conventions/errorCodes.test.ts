import { describe, expect, it } from 'vitest'
import { importsOf, sources, withoutComments, type Source } from './sources.js'

/** What makes problems, each file with its code alone: what is in doc comments is no code. */
interface Code extends Source {
  readonly comments: readonly string[]
  /** The files it imports, and itself. */
  readonly near: ReadonlySet<string>
}

/** Files that speak of codes without making problems of them, and why. */
const speakers: Readonly<Record<string, string>> = {
  'src/testing/mutations/expectedOf.ts': 'says which codes are expected of a mutant',
}

/** Codes that no caller ever gets, and why. */
const unseen: Readonly<Record<string, string>> = {
  hole: 'refuses a signal in a trace that is asked only what arrives there',
  skipped: 'is shown as a warning, as problems are shown',
}

const codeOf = (source: Source): Code => ({
  path: source.path,
  text: withoutComments(source.text),
  comments: [...source.text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\//g)].map(([, comment]) => comment!.replace(/^\s*\* ?/gm, '')),
  near: new Set([source.path, ...importsOf(source).map(({ to }) => to)]),
})

const closing: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '(': ')', '[': ']', '{': '}' }

/** The arguments of a call whose bracket opens at `at`, as they are written. */
const argumentsAt = (text: string, at: number): readonly string[] => {
  const [found, open] = [[''], [] as string[]]
  for (let i = at + 1; i < text.length; i++) {
    const [c, until] = [text[i]!, open.at(-1)]
    if (until === undefined && c === ')') break
    if (until === undefined && c === ',') {
      found.push('')
      continue
    }
    found[found.length - 1] += c
    const isText = until === "'" || until === '"'
    if (c === '\\') found[found.length - 1] += text[++i]!
    else if (c === until) open.pop()
    else if (until === '`' ? c === '{' && text[i - 1] === '$' : !isText && closing[c] !== undefined) open.push(closing[c]!)
  }
  return found.map(argument => argument.trim())
}

/** The names that an expression may have for a value, but for those that something is compared with. */
const literals = (expression: string): readonly string[] => [...expression.matchAll(/(?<![=!]== )'(\w+)'/g)].map(([, name]) => name!)

/** A function that is given a code, and as which of its arguments; `problem` is the first of them. */
interface Maker {
  readonly path: string
  readonly name: string
  readonly place: number
}

const makersOf = ({ path, text }: Code): readonly Maker[] =>
  [...text.matchAll(/\b(\w+)(?: = |: )\(([^()]*)\bcode(?:: (?!number\b)| = ')[^()]*\)/g)].map(([, name, before]) => ({ path, name: name!, place: before!.split(',').length - 1 }))

/** Every code that a file makes problems of, and every call with a code that cannot be read off it. */
const made = (files: readonly Code[]): { readonly codes: ReadonlySet<string>; readonly unread: readonly string[] } => {
  const makers = files.flatMap(makersOf)
  const [codes, unread] = [new Set<string>(), [] as string[]]
  const keep = (names: readonly string[]): void => names.forEach(name => codes.add(name))
  for (const { path, text, near } of files) {
    let passes = false
    for (const name of new Set(makers.filter(maker => near.has(maker.path)).map(maker => maker.name))) {
      const { place } = makers.find(maker => maker.name === name && near.has(maker.path))!
      for (const call of text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))) {
        const given = argumentsAt(text, call.index + name.length)[place] ?? ''
        const named = literals(given)
        keep(named)
        // One that has a default may be left out; `''` is a problem made for its path.
        if (given === 'code') passes = true
        else if (named.length === 0 && given !== '' && given !== "''") unread.push(`${path}: ${name}(${given.slice(0, 60)}`)
      }
    }
    // A code that is passed on got its value in the same file, or from who called.
    if (passes) for (const [, value] of text.matchAll(/\bcode = ((?:[^'\n`;,]|'\w+')*)/g)) keep(literals(value!))
    for (const [, name] of text.matchAll(/\bcode: '(\w+)'/g)) keep([name!])
  }
  return { codes, unread }
}

/** The words in backticks under "Errors:", "Errors of its aim:" and the like, to the end of the paragraph. */
const wordsUnderErrors = (comment: string): readonly string[] =>
  comment.split(/\n\s*\n|\n(?=@)/).flatMap(paragraph => {
    const at = paragraph.search(/\bErrors?\b[^:.]*:/)
    return at < 0 ? [] : [...paragraph.slice(at).matchAll(/`(\w+)`/g)].map(([, word]) => word!)
  })

const product = [...sources('src'), ...sources('recipes')].map(codeOf)
const { codes, unread } = made(product.filter(({ path }) => speakers[path] === undefined))
const named = new Map(product.flatMap(({ path, comments }) => comments.flatMap(wordsUnderErrors).map(word => [word, path] as const)))
const names = new Set(product.flatMap(({ text }) => text.replace(/'(\\.|[^'\\\n])*'/g, "''").match(/\b[A-Za-z_]\w*/g) ?? []))

describe('codes of problems', () => {
  it('every code of a problem is named under the errors of a doc comment', () => {
    expect([...codes].filter(code => !named.has(code) && unseen[code] === undefined).sort()).toEqual([])
    expect(Object.keys(unseen).filter(code => !codes.has(code))).toEqual([])
  })

  // A word there is a code, or the name of something that has errors of its own, of an option, of a field.
  it('no doc comment names a code under its errors that nothing makes', () => {
    expect([...named].filter(([word]) => !codes.has(word) && !names.has(word)).map(([word, path]) => `${path}: ${word}`)).toEqual([])
  })

  it('every code can be read off the call that makes the problem', () => {
    expect(unread).toEqual([])
  })

  const one = (text: string): Code => codeOf({ path: 'one.ts', text: `const problem = (code: string, sentence: string): Problem => ({ code, sentence })\n${text}` })

  it.each([
    ["problem('plain', 'a')", ['plain']],
    ["problem(a === 'x' ? 'first' : 'second', 'a')", ['first', 'second']],
    ["const failed = (words: string, code = 'usual'): Problem => problem(code, words)\nfailed(`${f(', ')}, 'no'`, 'other')\nfailed('words')", ['usual', 'other']],
    ["const code = a === 'x' ? 'left' : 'right'\nproblem(code, 'a')", ['left', 'right']],
    ["left({ ...found, code: 'renamed' })", ['renamed']],
    ["/** problem('told', 'a') */", []],
  ])('finds the codes of %s', (text, expected) => {
    expect(made([one(text)])).toEqual({ codes: new Set(expected), unread: [] })
  })

  it('says which call it cannot read', () => {
    expect(made([one("problem(codes[0], 'a')")]).unread).toEqual(['one.ts: problem(codes[0]'])
  })

  it('reads the words under errors, and no others', () => {
    expect(wordsUnderErrors('Reads `x`. Errors: `a` (with `b`),\n`c`; those of `d`.\n\nGives `e`.\n@example f // `g`')).toEqual(['a', 'b', 'c', 'd'])
    expect(wordsUnderErrors('Errors of its aim: `a`.')).toEqual(['a'])
  })
})
