import fc from 'fast-check'
import { forward, gradient, weighting, type Outcome, type Tfjs } from './measure.js'
import { inputsOf, namesOf, type Case, type Subject } from './subject.js'

/** A way in which cases of a subject fail, with the smallest one. */
export interface Finding {
  readonly kind: Exclude<Outcome['kind'], 'value'>
  /** Of all cases that were tried, how many fail so. */
  readonly share: number
  readonly outcome: Outcome
  readonly code: string
}

/** What one subject does on one backend. */
export interface Surveyed {
  readonly name: string
  readonly forward: Side
  readonly gradient: Side | undefined
}
export interface Side {
  readonly cases: number
  /** The largest error of those that are right. */
  readonly error: number
  readonly findings: readonly Finding[]
}

const seed = 4242

/** Measures one subject on the active backend: `count` cases drawn from a fixed seed, and each way of failing shrunk. */
export const survey = async (tf: Tfjs, one: Subject, count: number): Promise<Surveyed> => {
  const drawn = fc.sample(one.cases, { numRuns: count, seed })
  const smooth = drawn.filter(({ kind }) => kind === 'ordinary')
  return {
    name: one.name,
    forward: await side(one, drawn, c => forward(tf, c), c => snippet(c)),
    gradient: one.smooth ? await side({ ...one, cases: one.cases.filter(({ kind }) => kind === 'ordinary') }, smooth, c => gradient(tf, c), (c, outcome) => gradientSnippet(c, outcome)) : undefined,
  }
}

const side = async ({ cases }: Subject, drawn: readonly Case[], measure: (one: Case) => Promise<Outcome>, print: (one: Case, outcome: Outcome) => string): Promise<Side> => {
  const outcomes: Outcome[] = []
  for (const one of drawn) outcomes.push(await measure(one))
  const kinds = [...new Set(outcomes.map(({ kind }) => kind))].filter((kind): kind is Finding['kind'] => kind !== 'value')
  const findings: Finding[] = []
  for (const kind of kinds) {
    const first = drawn[outcomes.findIndex(o => o.kind === kind)]!
    const smallest = await shrunk(cases, drawn.length, first, async one => (await measure(one)).kind === kind)
    const outcome = await measure(smallest)
    // What reads outside of its memory does not always fail alike; such a way of failing is told by another one.
    if (outcome.kind === kind) findings.push({ kind, share: outcomes.filter(o => o.kind === kind).length, outcome, code: print(smallest, outcome) })
  }
  return { cases: drawn.length, error: Math.max(0, ...outcomes.map(o => (o.kind === 'value' ? o.error : 0))), findings }
}

/** The smallest case that fails, found by fast-check. */
const shrunk = async (cases: fc.Arbitrary<Case>, count: number, first: Case, fails: (one: Case) => Promise<boolean>): Promise<Case> => {
  const found = await fc.check(fc.asyncProperty(cases, async one => !(await fails(one))), { seed, numRuns: 4 * count, interruptAfterTimeLimit: 20_000 })
  return found.counterexample?.[0] ?? first
}

const shown = (values: readonly number[]): string => `[${values.map(v => (Number.isFinite(v) ? String(Number(v.toPrecision(5))) : String(v))).join(', ')}]`

/** The inputs as code; numbers as they are, since they are short. */
const declared = (one: Case): readonly string[] => inputsOf(one).map(({ shape, data }, i) => `const ${namesOf(one)[i]} = tf.tensor([${Array.from(data).join(', ')}], [${shape.join(', ')}])`)

const ending = (outcome: Outcome): readonly string[] => {
  if (outcome.kind === 'value') return []
  if (outcome.kind !== 'wrong') return [`// ${outcome.kind === 'crashes' || outcome.kind === 'corrupts' ? 'damages memory' : outcome.kind}: ${outcome.says}`]
  const shape = (i: 0 | 1): string => (outcome.shapes === undefined ? '' : ` of shape [${outcome.shapes[i].join(', ')}]`)
  return [`// gives ${shown(outcome.got)}${shape(0)}`, `// should be ${shown(outcome.should)}${shape(1)}`]
}

/** A call as code. */
export const snippet = (one: Case): string => [...declared(one), `const result = ${one.code}`].join('\n')

/** A gradient as code; where it is wrong, that of the input for which it is. */
export const gradientSnippet = (one: Case, outcome?: Outcome): string => {
  const shape = one.define(...inputsOf(one)).shape
  const input = outcome?.kind === 'wrong' ? (outcome.input ?? 0) : 0
  return [...declared(one), `const dy = tf.tensor([${weighting(shape.reduce((a, b) => a * b, 1)).join(', ')}], [${shape.join(', ')}])`, `const [${', '.repeat(input)}result] = tf.grads((${namesOf(one).join(', ')}) => ${one.code})([${namesOf(one).join(', ')}], dy)`].join('\n')
}

/** A finding as lines of code that anybody can paste. */
export const pasted = ({ code, outcome }: Finding): string => [code, ...ending(outcome)].join('\n')
