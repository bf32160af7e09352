import { describe, expect, it } from 'vitest'
import type { SignalShape } from '../../src/index.js'
import { constructors } from '../../src/testing/arbitraries/constructors.js'
import { compile, exactlyHelper, scratch, showDiagnostic, versions, type Diagnostic, type Version } from './compile.js'
import { grownPrograms, isLeftToRunTime, outcomeOf, randomPrograms, smaller, vocabulary, writeProgram, type Outcome, type Program } from './programs.js'

const deep = process.env['VITRAIL_DEEP'] === '1'
const seed = Number(process.env['VITRAIL_SEED'] ?? 20260)
// Every layer has its turn, and a mutant beside it.
const counts = deep ? { blind: 1200, grown: 1200 } : { blind: 160, grown: 3 * Object.keys(constructors).length }

const typeOf = (shape: SignalShape): string =>
  Array.isArray(shape)
    ? `readonly [${shape.join(', ')}]`
    : Array.isArray((shape as { integers?: unknown }).integers)
      ? `Integers<${typeOf((shape as { integers: SignalShape }).integers)}>`
      : `{ ${Object.entries(shape as Readonly<Record<string, SignalShape>>).map(([name, field]) => `readonly ${name}: ${typeOf(field)}`).join('; ')} }`

interface Case {
  readonly program: Program
  readonly outcome: Outcome
}

/** Compiles programs in one file and says of each how the compiler's answer differs from the library's, if it does. */
const judge = async (version: Version, name: string, cases: readonly Case[]): Promise<readonly (string | undefined)[]> => {
  const lines = ["import { pipe } from 'fp-ts/lib/function.js'", `import { ${vocabulary.join(', ')}, type Integers, type OutputOf } from 'vitrail'`, ...exactlyHelper.trimEnd().split('\n')]
  const starts = cases.map(({ program, outcome }, i) => {
    const start = lines.length + 1
    lines.push(...`const p${i} = ${writeProgram(program)}`.split('\n'))
    if ('shape' in outcome) lines.push(`exactly<OutputOf<typeof p${i}>, ${typeOf(outcome.shape)}>()`)
    return start
  })
  const [file] = scratch('generated', { [name]: `${lines.join('\n')}\n` })
  const { diagnostics } = await compile(version, [file!])
  const strays = diagnostics.filter(d => d.file !== file || d.line < (starts[0] ?? Infinity))
  if (strays.length > 0) throw new Error(strays.map(showDiagnostic).join('\n'))
  return cases.map(({ outcome }, i) => differs(outcome, starts[i]!, diagnostics.filter(d => d.line >= starts[i]! && d.line < (starts[i + 1] ?? Infinity))))
}

const differs = (outcome: Outcome, start: number, said: readonly Diagnostic[]): string | undefined => {
  // Of a refusal the carrier says it all; of anything else the first line.
  const answer = said.map(d => (/ShapeError<"[^>]*>/.exec(d.message) ?? [showDiagnostic(d).split('\n')[0]!])[0]).join('\n')
  if ('shape' in outcome) return said.length === 0 ? undefined : `the library: ${typeOf(outcome.shape)}\nTypeScript: ${answer}`
  const { problem, refusedAt } = outcome
  // A second scope of one name is `blocks_1` to the library, as its parameters are; the compiler does not count.
  const path = problem.path.replace(/_\d+/g, '')
  // The first line is `const p =  pipe(`, the second the input.
  const isThere = said.length === 1 && said[0]!.line === start + 2 + refusedAt && said[0]!.message.includes(`ShapeError<"${problem.sentence}", "${path}", `)
  return isThere ? undefined : `the library, of layer ${refusedAt}: ${problem.sentence} (at ${problem.path})\nTypeScript: ${answer === '' ? 'not refused' : answer}`
}

/** The smallest program that still differs, found by taking pieces out. */
const smallest = async (version: Version, failing: Case): Promise<{ readonly program: Program; readonly why: string }> => {
  let found = { ...failing, why: '' }
  for (let round = 0; round < 20; round++) {
    const cases = [found, ...smaller(found.program).map(program => ({ program, outcome: outcomeOf(program) }))].filter(c => !isLeftToRunTime(c.outcome))
    const verdicts = await judge(version, `smaller-${version}.ts`, cases)
    found = { ...found, why: verdicts[0] ?? '' }
    const next = cases.findIndex((_, i) => i > 0 && verdicts[i] !== undefined)
    if (next < 0) break
    found = { ...cases[next]!, why: verdicts[next]! }
  }
  return found
}

const blind = randomPrograms(seed, counts.blind)
const grown = grownPrograms(seed, counts.grown)

describe(`${counts.blind} random programs drawn blindly (seed ${seed})`, () => {
  it('are as many as asked for, half of them refused, with records, blocks and branches among them', () => {
    expect(blind.length).toBe(counts.blind)
    expect(blind.filter(c => 'shape' in c.outcome).length).toBe(counts.blind / 2)
    const valid = blind.filter(c => 'shape' in c.outcome).map(c => writeProgram(c.program)).join('\n')
    for (const word of ['serial', 'residual', 'repeat', 'fanOut', 'parallel', 'merge', 'stages', 'named', 'tap', 'when', 'inputs', 'integerInput', 'patchEmbed', 'encoderBlock', 'conv2d']) expect(valid).toContain(`${word}(`)
    expect(new Set(blind.flatMap(c => ('problem' in c.outcome ? [c.outcome.problem.code] : []))).size).toBeGreaterThan(8)
  })
})

describe(`${counts.grown} architectures and mutants of them (seed ${seed})`, () => {
  it('are about half of them refused, with every layer of the library among them, and deeper than blind ones', () => {
    const refused = grown.filter(c => 'problem' in c.outcome).length
    expect(refused).toBeGreaterThan(counts.grown / 4)
    expect(refused).toBeLessThan((3 * counts.grown) / 4)
    const text = grown.map(c => writeProgram(c.program)).join('\n')
    expect(Object.keys(constructors).filter(name => !text.includes(`${name}(`))).toEqual([])
    const mean = (cases: readonly Case[]): number => cases.reduce((sum, c) => sum + writeProgram(c.program).length, 0) / cases.length
    expect(mean(grown)).toBeGreaterThan(mean(blind))
    expect(new Set(grown.flatMap(c => ('problem' in c.outcome ? [c.outcome.problem.code] : []))).size).toBeGreaterThan(8)
  })
})

describe.each(versions)('all of them, under TypeScript %s', version => {
  it('have exactly the shape they have at run time, or are refused with the same words', async () => {
    const cases = [...blind, ...grown]
    const verdicts = await judge(version, `programs-${version}.ts`, cases)
    const wrong = cases.filter((_, i) => verdicts[i] !== undefined)
    if (wrong.length === 0) return
    const { program, why } = await smallest(version, wrong[0]!)
    expect.fail(`${wrong.length} of ${cases.length} programs of seed ${seed} differ:\n${verdicts.filter(v => v !== undefined).slice(0, 9).join('\n')}\nThe first, made small:\n${writeProgram(program)}\n${why}`)
  }, 600_000)
})
