import * as vitrail from '../../src/index.js'
import { model } from '../../src/layers/core/model.js'
import { sentences, type SentenceCode } from '../../src/shape/sentence.js'
import { choicesOf } from '../../src/testing/arbitraries/choices.js'
import { constructors } from '../../src/testing/arbitraries/constructors.js'
import { grow } from '../../src/testing/arbitraries/grow.js'
import { mutants } from '../../src/testing/mutations/mutationScore.js'
import { layerToSource, toSource } from '../../src/testing/source/toSource.js'
import { random, type Random } from '../random.js'

/**
 * A piece of a program: its text around the pieces inside it. Pieces of a list may be left out (down to
 * `least`) and any piece may stand for what it holds, which is how a failing program is made smaller.
 */
export interface Piece {
  readonly text: (inner: readonly string[]) => string
  readonly inner: readonly Piece[]
  readonly least: number
}

/** A model written as a `pipe`. */
export interface Program {
  readonly input: string
  readonly layers: readonly Piece[]
}

export const write = (piece: Piece): string => piece.text(piece.inner.map(write))

/** Its text, one layer a line, so that a refused argument has a line of its own. */
export const writeProgram = ({ input, layers }: Program): string => `pipe(\n  ${[input, ...layers.map(write)].join(',\n  ')},\n)`

/** The same program with one piece taken out or put in place of the one around it. */
export const smaller = (program: Program): readonly Program[] => [
  ...program.layers.map((_, i) => ({ ...program, layers: without(program.layers, i) })).filter(p => p.layers.length > 0),
  ...program.layers.flatMap((layer, i) => shrunk(layer).map(piece => ({ ...program, layers: program.layers.map((l, j) => (j === i ? piece : l)) }))),
]

const without = <T>(list: readonly T[], at: number): readonly T[] => list.filter((_, i) => i !== at)

const shrunk = (piece: Piece): readonly Piece[] => [
  ...piece.inner,
  ...(piece.inner.length > piece.least ? piece.inner.map((_, i) => ({ ...piece, inner: without(piece.inner, i) })) : []),
  ...piece.inner.flatMap((inside, i) => shrunk(inside).map(s => ({ ...piece, inner: piece.inner.map((p, j) => (j === i ? s : p)) }))),
]

const leaf = (text: string): Piece => ({ text: () => text, inner: [], least: 0 })
const around = (text: (inner: string) => string, piece: Piece): Piece => ({ text: ([inner]) => text(inner!), inner: [piece], least: 1 })
const list = (name: string, pieces: readonly Piece[]): Piece => ({ text: inner => `${name}(${inner.join(', ')})`, inner: pieces, least: 1 })
const record = (name: string, names: readonly string[], pieces: readonly Piece[]): Piece => ({ text: inner => `${name}({ ${inner.map((text, i) => `${names[i]!}: ${text}`).join(', ')} })`, inner: pieces, least: 1 })

const dims = [4, 6, 8, 12] as const
const tokenCounts = [1, 2, 4, 5, 9, 16] as const
const imageSizes = [4, 6, 8, 9] as const
const fields = [['a', 'b'], ['b', 'a'], ['left', 'right'], ['a', 'b', 'c'], ['only']] as const

const tensorInput = (r: Random): string =>
  r.pick([
    () => `input(${r.pick(imageSizes)}, ${r.pick(imageSizes)}, ${r.pick([1, 3, ...dims])})`,
    () => `input(${r.pick(tokenCounts)}, ${r.pick(dims)})`,
    () => `input(${r.pick(tokenCounts)}, ${r.pick(dims)})`,
    () => `input(${r.pick(dims)})`,
    () => `integerInput(${r.pick(tokenCounts)})`,
    () => (r.chance(0.2) ? 'input()' : `input(${r.pick(imageSizes)}, ${r.pick(imageSizes)}, ${r.pick(dims)})`),
  ])()

const anyInput = (r: Random): string => (r.chance(0.85) ? tensorInput(r) : `inputs({ ${r.pick(fields).map(name => `${name}: ${tensorInput(r)}`).join(', ')} })`)

const options = (...given: readonly (string | false)[]): string => {
  const said = given.filter(g => g !== false)
  return said.length === 0 ? '' : `{ ${said.join(', ')} }`
}

/** Every layer that holds no other, with small options drawn without a look at what arrives. */
const leaves: readonly ((r: Random) => string)[] = [
  r => `linear(${r.pick(dims)}${r.chance(0.2) ? ', { bias: false }' : ''})`,
  r => `linear(${r.pick(dims)})`,
  r => `${r.pick(['gelu', 'relu', 'silu', 'tanh', 'softmax', 'identity'])}()`,
  () => "gelu({ form: 'quick' })",
  r => `${r.pick(['layerNorm', 'rmsNorm'])}(${options(r.chance(0.2) && 'epsilon: 1e-5', r.chance(0.2) && 'affine: false')})`,
  r => `layerScale(${r.chance(0.5) ? '0.1' : ''})`,
  r => `mlp(${options(r.chance(0.5) && 'mlpRatio: 2', r.chance(0.3) && 'hiddenDim: 5', r.chance(0.3) && "activation: 'silu'")})`,
  r => `selfAttention({ numHeads: ${r.pick([1, 2, 3, 4, 5])} })`,
  r => `encoderBlock({ numHeads: ${r.pick([1, 2, 3, 4])}${r.chance(0.3) ? ", normPlacement: 'post'" : ''} })`,
  r => `encoderBlock({ numHeads: ${r.pick([1, 2, 4])}${r.chance(0.3) ? ', layerScale: 0.1' : ''} })`,
  r => `patchEmbed({ patchSize: ${r.pick(['2', '3', '4', '[2, 4]', '[4, 3]', '12'])}, dim: ${r.pick(dims)}${r.chance(0.4) ? `, stride: ${r.pick(['1', '2', '3', '[1, 2]'])}` : ''} })`,
  r => `patchEmbed({ patchSize: ${r.pick([2, 4])}, dim: ${r.pick(dims)} })`,
  () => 'flattenTokens()',
  () => 'flattenTokens()',
  r => `${r.pick(['classToken', 'distillationToken'])}()`,
  r => `registerTokens(${r.pick([1, 2, 4])})`,
  r => `positionEmbed(${options(r.chance(0.5) && `kind: '${r.pick(['learned', 'learned2d', 'sinCos2d', 'sinCos', 'none'])}'`, r.chance(0.3) && `numTokens: ${r.pick(tokenCounts)}`)})`,
  r => `takeToken(${r.pick([0, 0, 1, 3, 9])})`,
  r => `globalPool(${options(r.chance(0.5) && `kind: '${r.pick(['average', 'max', 'averageMax'])}'`, r.chance(0.5) && `prefixTokens: ${r.pick([0, 1, 2, 5])}`)})`,
  r => `conv2d({ dim: ${r.pick(dims)}, kernelSize: ${r.pick([1, 2, 3, 5])}${r.chance(0.5) ? `, stride: ${r.pick([1, 2, 3])}` : ''}${r.chance(0.5) ? `, padding: ${r.pick([1, 2])}` : ''} })`,
  r => `${r.pick(['dropout', 'dropPath', 'attentionDropout', 'tokenDropout'])}(0.1)`,
  r => `embedding({ vocabularySize: 7, dim: ${r.pick(dims)} })`,
  r => `expectShape(${r.pick([[r.pick(dims)], [r.pick(tokenCounts), r.pick(dims)], [4, 4, r.pick(dims)]]).join(', ')})`,
  r => `${r.pick(['batchNorm', 'patchMerging', 'squeezeExcite', 'absolutePositionEmbed'])}()`,
  r => `groupNorm({ numGroups: ${r.pick([1, 2, 3])} })`,
  r => `depthwiseConv2d({ kernelSize: ${r.pick([1, 2, 3])}${r.chance(0.5) ? `, stride: ${r.pick([1, 2, 3])}` : ''}${r.chance(0.5) ? `, padding: ${r.pick([1, 2])}` : ''} })`,
  r => `${r.pick(['averagePool', 'maxPool'])}({ size: ${r.pick([1, 2, 3])}${r.chance(0.5) ? `, stride: ${r.pick([1, 2])}` : ''}${r.chance(0.5) ? `, padding: ${r.pick(['1', "'same'"])}` : ''} })`,
  r => `stdConv2d({ dim: ${r.pick(dims)}, kernelSize: ${r.pick([1, 2, 3])}, stride: ${r.pick([1, 2, 3])}${r.chance(0.5) ? `, padding: ${r.pick(['1', "'same'"])}` : ''} })`,
  r => `downsample2d({ dim: ${r.pick(dims)} })`,
  r => `${r.pick(['mbConv', 'mbConv'])}({ dim: ${r.pick(dims)}, stride: ${r.pick([1, 2])} })`,
  r => `skipTokens(${r.pick([0, 1, 2, 5])})`,
  r => `gatedPositionalAttention({ numHeads: ${r.pick([1, 2, 3])}${r.chance(0.3) ? `, grid: [${r.pick([1, 2, 4])}, ${r.pick([1, 2, 4])}]` : ''} })`,
  r => `resize(${r.pick(['4', '8', '[4, 6]'])}${r.chance(0.3) ? ", { kind: 'bicubic' }" : ''})`,
  r => `windowAttention({ numHeads: ${r.pick([1, 2, 3])}${r.chance(0.3) ? ', windowSize: 2' : ''} })`,
  r => `relativeAttention2d({ headDim: ${r.pick([2, 4, 5])} })`,
  r => `merge('${r.pick(['add', 'multiply', 'concat', 'average'])}')`,
  r => `merge('${r.pick(['add', 'concat'])}')`,
]

const several = (r: Random, depth: number, most: number): readonly Piece[] => Array.from({ length: 1 + r.below(most) }, () => piece(r, depth))

/** Every combinator, around pieces as blind as itself. */
const combinators: readonly ((r: Random, depth: number) => Piece)[] = [
  (r, depth) => list('serial', several(r, depth, 3)),
  (r, depth) => around(inner => `residual(${inner})`, piece(r, depth)),
  (r, depth) => ({ text: ([branch, shortcut]) => `residual(${branch}, ${shortcut})`, inner: [piece(r, depth), piece(r, depth)], least: 2 }),
  (r, depth) => {
    const [times, isFunction] = [1 + r.below(3), r.chance(0.3)]
    return around(inner => `repeat(${times}, ${isFunction ? '() => ' : ''}${inner})`, piece(r, depth))
  },
  (r, depth) => {
    const name = r.pick(['head', 'x.y', 'layers'])
    return around(inner => `named('${name}', ${inner})`, piece(r, depth))
  },
  (r, depth) => around(inner => `tap('seen', ${inner})`, piece(r, depth)),
  (r, depth) => {
    const options = `windowSize: ${r.pick([2, 3, 4])}${r.chance(0.3) ? ', shift: 1' : ''}`
    return around(inner => `windows({ ${options} }, ${inner})`, piece(r, depth))
  },
  (r, depth) => list('stages', several(r, depth, 3)),
  (r, depth) => {
    const condition = r.chance(0.5)
    return around(inner => `when(${condition}, ${inner})`, piece(r, depth))
  },
  ...Array<(r: Random, depth: number) => Piece>(2).fill((r, depth) => {
    const names = r.pick(fields)
    return record('fanOut', names, names.map(() => piece(r, depth)))
  }),
  (r, depth) => {
    const names = r.pick(fields).slice(0, 1 + r.below(2))
    return record('parallel', names, names.map(() => piece(r, depth)))
  },
]

const piece = (r: Random, depth: number): Piece => (depth > 0 && r.chance(0.35) ? r.pick(combinators)(r, depth - 1) : leaf(r.pick(leaves)(r)))

/** What a program is at run time. */
export type Outcome = { readonly shape: vitrail.SignalShape } | { readonly refusedAt: number; readonly problem: vitrail.Problem }

const run = new Function('vitrail', 'pipe', 'text', 'with (vitrail) { return eval(text) }') as (v: typeof vitrail, pipe: unknown, text: string) => vitrail.AnyModel
/** Runs a text without its types' own words. */
const evaluate = (v: typeof vitrail, p: unknown, text: string): vitrail.AnyModel => run(v, p, text.replaceAll(' as const)', ')').replaceAll(']!', ']'))

const pipe = (x: unknown, ...layers: readonly ((x: unknown) => unknown)[]): unknown => layers.reduce((value, layer) => layer(value), x)

const shapeOf = (program: Program) => vitrail.shapeOf(evaluate(vitrail, pipe, writeProgram(program)) as unknown as vitrail.Model<unknown, vitrail.SignalShape>)

/** Builds a program with the library and asks for its shape; where it is refused, by which of its layers. */
export const outcomeOf = (program: Program): Outcome => {
  const found = shapeOf(program)
  if (found._tag === 'Right') return { shape: found.right }
  const refusedAt = program.layers.findIndex((_, i) => shapeOf({ ...program, layers: program.layers.slice(0, i + 1) })._tag === 'Left')
  return { refusedAt, problem: found.left }
}

/** Sentences of options that types do not look at. A problem that is no sentence of `src/shape` is of such an option too. */
const leftToRunTime: ReadonlySet<string> = new Set<SentenceCode>(['gridMisfit', 'positionsDoNotSplit', 'groupsDoNotSplit', 'groupSizeDoesNotSplit'])
export const isLeftToRunTime = (outcome: Outcome): boolean =>
  'problem' in outcome && (!(outcome.problem.code in sentences) || leftToRunTime.has(outcome.problem.code) || outcome.problem.sentence.startsWith('tokenDropout: ') && outcome.problem.code === 'prefixTooLong')

/**
 * Random programs from a seed: half of those asked for have a shape, half are refused. The generator knows
 * nothing of shapes; programs are only sorted by what came of them.
 */
export const randomPrograms = (seed: number, count: number): readonly { readonly program: Program; readonly outcome: Outcome }[] => {
  const r = random(seed)
  const found = { shape: [] as { program: Program; outcome: Outcome }[], problem: [] as { program: Program; outcome: Outcome }[] }
  const seen = new Set<string>()
  for (let tries = 0; tries < count * 200 && found.shape.length + found.problem.length < count; tries++) {
    const program = { input: anyInput(r), layers: several(r, 3, 6) }
    const text = writeProgram(program)
    const outcome = outcomeOf(program)
    const kind = 'shape' in outcome ? 'shape' : 'problem'
    // A program of one layer says little of chains; keep few of them.
    if (isLeftToRunTime(outcome) || seen.has(text) || (program.layers.length === 1 && program.layers[0]!.inner.length === 0 && r.chance(0.8))) continue
    seen.add(text)
    if (found[kind].length < count / 2) found[kind].push({ program, outcome })
  }
  return [...found.shape, ...found.problem]
}

/** A model as a program, a layer a line. */
const programOf = (m: vitrail.AnyModel): Program => {
  const before = toSource(model(m.input, []), { imports: false })
  return { input: before.slice('export const model = '.length).trimEnd(), layers: m.layers.map(layer => leaf(layerToSource(layer).replace(/\n\s*/g, ' '))) }
}

/**
 * Programs that the testing kit grows, each layer of the library in its turn, and mutants of them: as many valid ones as
 * broken ones. They go deeper than blind ones, whose chains soon break.
 */
export const grownPrograms = (seed: number, count: number): readonly { readonly program: Program; readonly outcome: Outcome }[] => {
  const choices = choicesOf(seed)
  const kinds = Object.keys(constructors)
  const found: { readonly program: Program; readonly outcome: Outcome }[] = []
  let turns = 0
  for (let i = 0; found.length < count; i++) {
    const before = found.length
    const favourite = kinds[i % kinds.length]!
    const grown = grow(choices, { favourite, depth: 8 })
    const broken = mutants(grown, choices).filter(({ expected }) => 'code' in expected)
    for (const m of [grown, ...(broken.length === 0 ? [] : [choices.pick(broken).model])]) {
      const program = programOf(m)
      const outcome = outcomeOf(program)
      // Of layers of several kinds, given by a function, the compiler knows that each is one of them, but not which.
      const isUnsure = ('problem' in outcome ? /\[index\d*\]!/ : /\)\s*,?\s*\] as const\)\[index/).test(writeProgram(program))
      if (!isLeftToRunTime(outcome) && !isUnsure && found.length < count) found.push({ program, outcome })
    }
    // A layer whose program is of no use here has another turn, a few times.
    const isThere = found.slice(before).some(({ program }) => writeProgram(program).includes(`${favourite}(`))
    turns = isThere || turns === 20 ? 0 : turns + 1
    if (turns > 0) i--
  }
  return found
}

/** The names a program's text may use. */
export const vocabulary = Object.keys(vitrail).filter(name => /^[a-z]/.test(name) && name !== 'ops')
