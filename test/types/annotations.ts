import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { root, showDiagnostic, type Compiled } from './compile.js'

/*
 * What a case file promises, in comments on the lines before the place they speak of:
 *
 *   // says: <sentence>         this argument is refused with this sentence,
 *   // at: <path>               at this path (unless given, the layer its sentence begins with),
 *   // remedy: <way out>        with this way out (unless given, none from the compiler);
 *   // gives: <shape>           this exported model has exactly this output, `readonly` left out;
 *   // at run time: <sentence>  the compiler cannot know, but building this export refuses.
 */

/** An argument that must be refused. */
export interface Refusal {
  readonly name: string
  readonly line: number
  readonly column: number
  readonly says: string
  readonly at: string
  readonly remedy: string
}

/** What is promised of an export as a whole. */
export interface Promised {
  readonly name: string
  readonly line: number
  readonly text: string
}

export interface Annotations {
  readonly file: string
  readonly refusals: readonly Refusal[]
  readonly gives: readonly Promised[]
  readonly runs: readonly Promised[]
}

const leafOf = (sentence: string): string => /^\w+/.exec(sentence)?.[0] ?? ''

/** Reads the promises of a program. */
export const annotations = (file: string, source = readFileSync(file, 'utf8')): Annotations => {
  const [refusals, gives, runs]: [Refusal[], Promised[], Promised[]] = [[], [], []]
  let name = ''
  let pending: Record<string, string> = {}
  source.split('\n').forEach((text, index) => {
    const note = /^\s*\/\/ (says|at|remedy|gives|at run time): (.*)$/.exec(text)
    if (note !== null) {
      pending[note[1]!] = note[2]!
      return
    }
    name = /^export const (\w+)/.exec(text)?.[1] ?? name
    const { says, at, remedy, gives: shape, 'at run time': later } = pending
    if (says !== undefined) refusals.push({ name, line: index + 1, column: text.search(/\S/) + 1, says, at: at ?? leafOf(says), remedy: remedy ?? '' })
    if (shape !== undefined) gives.push({ name, line: index + 1, text: shape })
    if (later !== undefined) runs.push({ name, line: index + 1, text: later })
    if (says === undefined && (at !== undefined || remedy !== undefined)) throw new Error(`${file}(${index + 1}): 'at' or 'remedy' without 'says'`)
    pending = {}
  })
  return { file, refusals, gives, runs }
}

/** The one property the compiler names when it refuses an argument. */
export const carrier = ({ says, at, remedy }: Pick<Refusal, 'says' | 'at' | 'remedy'>): string => `ShapeError<"${says}", "${at}", "${remedy}">`

/** Everything in which a compiler's answer differs from what the files promise. */
export const complaints = (promised: readonly Annotations[], { diagnostics }: Pick<Compiled, 'diagnostics'>): readonly string[] => {
  const unexplained = new Set(diagnostics)
  const missing = promised.flatMap(({ file, refusals }) =>
    refusals.flatMap(refusal => {
      const place = `${relative(root, file)}(${refusal.line},${refusal.column})`
      const here = diagnostics.filter(d => d.file === file && d.line === refusal.line && d.column === refusal.column)
      here.forEach(d => unexplained.delete(d))
      if (here.length === 0) return [`${place}: not refused, though it should say: ${refusal.says}`]
      return here.some(d => d.message.includes(carrier(refusal))) ? [] : [`${place}: refused without ${carrier(refusal)}:\n${here.map(showDiagnostic).join('\n')}`]
    }),
  )
  return [...missing, ...[...unexplained].map(d => `unexpected: ${showDiagnostic(d)}`)]
}

/** A shape as people write it (`[196, 192]`, `{ a: [10] }`) as a type: every tuple and field readonly. */
export const shapeType = (text: string): string => text.replaceAll('[', 'readonly [').replace(/(\w+):/g, 'readonly $1:')

/** The same shape as a value; nothing where a size is not known to the compiler. */
export const shapeValue = (text: string): unknown => {
  if (/\bnumber\b/.test(text)) return undefined
  return new Function(`return (${text.replace(/Integers<(\[[^\]]*\])>/g, '{ integers: $1 }')})`)() as unknown
}
