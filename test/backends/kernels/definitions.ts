import { sizeOf, type Dense } from './support.js'

const at = (values: ArrayLike<number>, index: number): number => values[index] ?? Number.NaN

/** erf in float64: the power series below 3, the continued fraction above. */
export const erf = (x: number): number => {
  const a = Math.abs(x)
  if (Number.isNaN(x)) return x
  if (a > 6) return Math.sign(x)
  if (a < 3) {
    let term = x
    let sum = x
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (-x * x) / n
      sum += term / (2 * n + 1)
    }
    return (2 / Math.sqrt(Math.PI)) * sum
  }
  let fraction = a
  for (let n = 100; n > 0; n--) fraction = a + n / 2 / fraction
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction))
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** Every activation and unary function, in float64. */
export const functions = {
  none: (x: number) => x,
  gelu: (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  geluTanh: (x: number) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quickGelu: (x: number) => x * sigmoid(1.702 * x),
  relu: (x: number) => Math.max(x, 0),
  silu: (x: number) => x * sigmoid(x),
  erf,
} as const

/** The definition of a matrix product with broadcasting; `magnitude` is the product of the absolute values. */
export const matMul = (a: Dense, b: Dense, transposeA = false, transposeB = false) => {
  const [ar, ac] = [at(a.shape, a.shape.length - 2), at(a.shape, a.shape.length - 1)]
  const [br, bc] = [at(b.shape, b.shape.length - 2), at(b.shape, b.shape.length - 1)]
  const [m, k, n] = [transposeA ? ac : ar, transposeA ? ar : ac, transposeB ? br : bc]
  const rank = Math.max(a.shape.length, b.shape.length) - 2
  const lead = (t: Dense): number[] => [...Array<number>(rank - t.shape.length + 2).fill(1), ...t.shape.slice(0, -2)]
  const [la, lb] = [lead(a), lead(b)]
  const leading = la.map((size, axis) => (size === 1 ? at(lb, axis) : size))
  const shape = [...leading, m, n]
  const values = new Float64Array(sizeOf(shape))
  const magnitude = new Float64Array(values.length)
  for (let batch = 0; batch < sizeOf(leading); batch++) {
    const index = (own: number[]): number => {
      let [rest, stride, sum] = [batch, 1, 0]
      for (let axis = rank - 1; axis >= 0; axis--) {
        const i = rest % at(leading, axis)
        rest = Math.floor(rest / at(leading, axis))
        if (at(own, axis) !== 1) sum += i * stride
        stride *= at(own, axis)
      }
      return sum
    }
    const [aAt, bAt] = [index(la) * m * k, index(lb) * k * n]
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let [sum, size] = [0, 0]
        for (let p = 0; p < k; p++) {
          const term = at(a.values, aAt + (transposeA ? p * m + i : i * k + p)) * at(b.values, bAt + (transposeB ? j * k + p : p * n + j))
          sum += term
          size += Math.abs(term)
        }
        values[(batch * m + i) * n + j] = sum
        magnitude[(batch * m + i) * n + j] = size
      }
  }
  return { shape, values, magnitude }
}

/** Softmax of scale · x along the last axis. */
export const softmax = (x: Dense, scale = 1): Dense => {
  const width = at(x.shape, x.shape.length - 1)
  const values = Float64Array.from(x.values, (v) => v * scale)
  for (let r = 0; r < values.length; r += width) {
    const row = values.subarray(r, r + width)
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity)
    const exps = row.map((v) => Math.exp(v - most))
    const sum = exps.reduce((a, b) => a + b, 0)
    row.set(exps.map((e) => e / sum))
  }
  return { shape: x.shape, values }
}

/** Layer normalisation over the last axis. */
export const layerNorm = (x: Dense, epsilon: number, gamma?: Dense, beta?: Dense): Dense => {
  const width = at(x.shape, x.shape.length - 1)
  const values = Float64Array.from(x.values)
  for (let r = 0; r < values.length; r += width) {
    const row = values.subarray(r, r + width)
    const mean = row.reduce((a, b) => a + b, 0) / width
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / width
    const scaled = row.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * (gamma ? at(gamma.values, i) : 1))
    row.set(scaled.map((v, i) => v + (beta ? at(beta.values, i) : 0)))
  }
  return { shape: x.shape, values }
}

/** softmax(scale q kᵀ + bias) v by the definitions above; the bias must have the full shape or broadcast. */
export const attention = (q: Dense, k: Dense, v: Dense, scale: number, bias?: Dense): Dense => {
  const scores = matMul(q, k, false, true)
  const scaled = scores.values.map((s) => s * scale)
  if (bias) {
    const full = broadcastTo(bias, scores.shape)
    scaled.forEach((s, i) => (scaled[i] = s + at(full.values, i)))
  }
  return matMul(softmax({ shape: scores.shape, values: scaled }), v)
}

/** The element at each index of `shape`, axes of size 1 (or absent) repeated. */
export const broadcastTo = (x: Dense, shape: readonly number[]): Dense => {
  const own = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape]
  return gather(x, shape, own.map((n, axis) => (n === 1 ? 0 : sizeOf(own.slice(axis + 1)))), 0)
}

/** The element x[offset + index · strides] for each index of `shape`. */
export const gather = (x: Dense, shape: readonly number[], strides: readonly number[], offset: number): Dense => {
  const values = new Float64Array(sizeOf(shape))
  values.forEach((_, flat) => {
    let [rest, from] = [flat, offset]
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (rest % at(shape, axis)) * at(strides, axis)
      rest = Math.floor(rest / at(shape, axis))
    }
    values[flat] = at(x.values, from)
  })
  return { shape, values }
}
