import { gridPositions, sequencePositions } from '../layers/core/sinCos.js'
import type { Initialiser } from '../ops/initialiser.js'
import { fans } from './fans.js'
import { fnv1a32 } from './fnv1a32.js'
import { formulaWeights } from './formulaWeights.js'
import { inverseNormal } from './inverseNormal.js'
import { localAttention } from './localAttention.js'
import { mulberry32 } from './mulberry32.js'
import { orthogonal } from './orthogonal.js'
import { sizeOf } from '../shape/shape.js'

/** Where timm's `trunc_normal_` cuts, absolutely: with the usual std of 0.02 this is at 100 deviations. */
const cut = 2

/** The share of a normal distribution of deviation `std` that lies within ±{@link cut}: `inverseNormal` inverted. */
const shareWithinCut = (std: number): number => {
  const limit = cut / std
  if (!(limit < 8)) return 1 // beyond eight deviations lies 1e-15, less than a 24-bit draw can tell
  let low = 0
  let high = 1
  // Bisection until the two bounds are neighbours; the bound on the count is more than doubles need.
  for (let i = 0; i < 1100; i++) {
    const middle = low + (high - low) / 2
    if (middle === low || middle === high) break
    if (inverseNormal(middle) < limit) low = middle
    else high = middle
  }
  return low
}

const normal = (count: number, std: number, share: number, draw: () => number): Float32Array => {
  const values = new Float32Array(count)
  // Odd multiples of 2⁻²⁴: symmetric about 0, never ±1, exact in float64.
  for (let i = 0; i < count; i++) values[i] = std * inverseNormal(share * (((draw() >>> 8) + 0.5) / 8388608 - 1))
  return values
}

/**
 * The first values of the parameter called `name`, row-major `shape` → float32: the same on every machine and in
 * every engine, independent of the other parameters and of the order in which they are drawn.
 *
 * The generator is mulberry32 seeded with FNV1a32(utf8(seed + '|' + name)); each element takes one draw, of which
 * the upper 24 bits are used: uniform on [−bound, bound), or through {@link inverseNormal} (so that no normal
 * deviate exceeds 5.4 standard deviations). Variances are listed at {@link Initialiser}; for gains and fans see
 * PyTorch's `torch.nn.init` (He: fan-in, gain √2). A seed given as a number is read as its decimal text.
 *
 * @example
 * initialise({ kind: 'ones' }, [2], 0, 'norm.weight') // Float32Array.of(1, 1)
 */
export const initialise = (
  initialiser: Initialiser,
  shape: readonly number[],
  seed: number | string,
  name: string,
): Float32Array => {
  const count = sizeOf(shape)
  const { fanIn, fanOut } = fans(shape)
  const uniformly = (bound: number): Float32Array => formulaWeights(name, shape, 0, bound, seed)
  const normally = (std: number, share = 1): Float32Array =>
    normal(count, std, share, mulberry32(fnv1a32(`${seed}|${name}`)))
  switch (initialiser.kind) {
    case 'zeros': return new Float32Array(count)
    case 'ones': return new Float32Array(count).fill(1)
    case 'constant': return new Float32Array(count).fill(initialiser.value)
    case 'normal': return normally(initialiser.std)
    case 'truncatedNormal': return normally(initialiser.std, shareWithinCut(initialiser.std))
    case 'uniform': return uniformly(initialiser.bound)
    case 'xavierUniform': return uniformly(Math.sqrt(6 / (fanIn + fanOut)))
    case 'xavierNormal': return normally(Math.sqrt(2 / (fanIn + fanOut)))
    case 'heUniform': return uniformly(Math.sqrt(6 / fanIn))
    case 'heNormal': return normally(Math.sqrt(2 / fanIn))
    case 'fanIn': return uniformly(Math.sqrt(3 / fanIn))
    case 'identity': return new Float32Array(count).map((_, i) => (i % fanIn === Math.floor(i / fanIn) ? 1 : 0))
    case 'localAttention': return localAttention(normally(0.02), initialiser.strength)
    case 'orthogonal': return orthogonal(normally(1), fanIn, initialiser.gain)
    case 'sinCos': return sequencePositions(count / shape.at(-1)!, shape.at(-1)!)
    case 'sinCos2d': {
      const table = gridPositions(initialiser.rows, initialiser.columns, shape.at(-1)!)
      const whole = new Float32Array(count)
      whole.set(table, count - table.length)
      return whole
    }
  }
}
