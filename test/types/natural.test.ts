import { describe, expect, it } from 'vitest'
import { random } from '../random.js'
import { compile, exactlyHelper, scratch, showDiagnostic, versions } from './compile.js'

/** What the type should be: the exact number where its digits survive a double, else `number`. */
const literal = (n: bigint): string => (String(Number(n)) === String(n) ? String(n) : 'number')

const edges = [0, 1, 2, 9, 10, 11, 19, 90, 99, 100, 101, 255, 256, 999, 1000, 1001, 4096, 9999, 10_000, 65_535, 99_999, 100_000, 123_456_789, 999_999_999, 1_000_000_000]

const r = random(31)
const anyNatural = (): number => r.below(10 ** (1 + r.below(9)) + 1)
const random300: readonly (readonly [number, number])[] = Array.from({ length: 300 }, () => [anyNatural(), anyNatural()] as const)
const edgePairs = edges.flatMap((a, i) => [[0, 1, 10][i % 3]!, 999, 1000, edges[(i + 7) % edges.length]!, a].map(b => (i % 2 === 0 ? [a, b] : [b, a]) as readonly [number, number]))
const pairs = [...random300, ...edgePairs]

const windows = Array.from({ length: 120 }, () => ({ size: 1 + r.below(600), kernel: 1 + r.below(r.pick([4, 16, 64, 700])), stride: 1 + r.below(r.pick([1, 4, 33])), padding: r.below(r.pick([1, 4, 20])) }))

const assertions = (): readonly string[] => [
  ...pairs.flatMap(([a, b], i) => {
    const [A, B] = [BigInt(a), BigInt(b)]
    return [
      `exactly<Add<${a}, ${b}>, ${literal(A + B)}>()`,
      `exactly<Subtract<${a}, ${b}>, ${b > a ? 'never' : literal(A - B)}>()`,
      `exactly<Multiply<${a}, ${b}>, ${literal(A * B)}>()`,
      // Division costs the compilers more than all else together: of the random pairs, every third.
      ...(i >= random300.length || i % 3 === 0 ? [`exactly<DivMod<${a}, ${b}>, ${b === 0 ? '[never, never]' : `[${A / B}, ${A % B}]`}>()`] : []),
      `exactly<IsLess<${a}, ${b}>, ${a < b}>()`,
    ]
  }),
  ...windows.map(({ size, kernel, stride, padding }) => `exactly<ConvSize<${size}, ${kernel}, ${stride}, ${padding}>, ${size + 2 * padding < kernel ? 'never' : Math.floor((size + 2 * padding - kernel) / stride) + 1}>()`),
  // What is no natural literal is left to run time.
  ...['number', '-1', '1.5', '-3.25', '1e21', '0.001'].flatMap(x => [
    `exactly<Add<${x}, 7>, number>()`, `exactly<Add<7, ${x}>, number>()`, `exactly<Subtract<${x}, 7>, number>()`, `exactly<Subtract<7, ${x}>, number>()`,
    `exactly<Multiply<${x}, 7>, number>()`, `exactly<Multiply<7, ${x}>, number>()`, `exactly<DivMod<${x}, 7>, [number, number]>()`, `exactly<DivMod<7, ${x}>, [number, number]>()`,
    `exactly<IsLess<${x}, 7>, boolean>()`, `exactly<IsLess<7, ${x}>, boolean>()`, `exactly<ConvSize<${x}, 3, 2, 1>, number>()`,
  ]),
]

describe('arithmetic in types', () => {
  it('has more than three hundred random pairs and every edge to answer for', () => {
    expect(pairs.length).toBeGreaterThan(400)
    expect(pairs.filter(([a, b]) => a > 1e8 && b > 1e8).length).toBeGreaterThan(5)
  })

  it.each(versions)('is that of whole numbers up to 10^9, under TypeScript %s', async version => {
    const lines = ["import type { Add, ConvSize, DivMod, IsLess, Multiply, Subtract } from 'vitrail'", ...exactlyHelper.trimEnd().split('\n'), ...assertions()]
    const file = scratch('natural', { [`natural-${version}.ts`]: `${lines.join('\n')}\n` })
    const { diagnostics } = await compile(version, file)
    expect(diagnostics.map(d => `${lines[d.line - 1]}: ${showDiagnostic(d)}`)).toEqual([])
  })

  it.each(versions)('is found wrong where it is, under TypeScript %s', async version => {
    const file = scratch('natural', { [`canary-${version}.ts`]: `import type { Add, DivMod } from 'vitrail'\n${exactlyHelper}exactly<Add<2, 2>, 5>()\nexactly<Add<2, 2>, number>()\nexactly<DivMod<7, 2>, [3, 0]>()\n` })
    expect((await compile(version, file)).diagnostics.map(d => d.line)).toEqual([4, 5, 6])
  })
})
