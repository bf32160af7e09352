import { broadcastIndices, broadcastLeading, matricesOf, sizeOf } from './axes.js'
import { codeOf, expectShape, operand, optionalOperand, type Implementation } from './implementation.js'
import { activationCodes } from './native.js'

const BYTES = 4
const PANEL = 8

/** w `[K, N]`, or `[N, K]` where `transposed`, into panels `[ceil(N / 8), K, 8]` for {@link linear}. */
export const pack: Implementation = (kernels, inputs, { transposed = false }) => {
  const w = operand('VitrailPack', inputs, 'w')
  const { leading, rows, columns } = matricesOf('VitrailPack', 'w', w)
  if (leading.length > 0) throw new Error(`VitrailPack: w must have two axes, but has ${w.shape.length}`)
  const [k, n] = transposed === true ? [columns, rows] : [rows, columns]
  const packed = kernels.output([Math.ceil(n / PANEL), k, PANEL])
  const [rowStride, colStride] = transposed === true ? [1, k] : [n, 1]
  kernels.native.pack(kernels.address(w), k, n, rowStride, colStride, kernels.address(packed))
  return packed
}

/** y `[..., n]` = activation(x `[..., K]` · W + bias `[n]`) + residual `[..., n]`, W as {@link pack} made it. */
export const linear: Implementation = (kernels, inputs, { n: width, activation = 'none' }) => {
  const name = 'VitrailLinear'
  const n = Number(width)
  const x = operand(name, inputs, 'x')
  const packed = operand(name, inputs, 'packed')
  const bias = optionalOperand(name, inputs, 'bias')
  const residual = optionalOperand(name, inputs, 'residual')
  const code = codeOf(name, activationCodes, activation)
  const k = x.shape.at(-1)
  if (k === undefined) throw new Error(`${name}: x needs at least one axis`)
  const leading = x.shape.slice(0, -1)
  const m = sizeOf(leading)
  expectShape(name, 'packed', packed, [Math.ceil(n / PANEL), k, PANEL])
  if (bias !== undefined) expectShape(name, 'bias', bias, [n])
  if (residual !== undefined) expectShape(name, 'residual', residual, [...leading, n])

  const scratch = kernels.scratch(kernels.native.gemmScratchBytes(m, k))
  const y = kernels.output([...leading, n])
  const address = (tensor: typeof bias): number => (tensor === undefined ? 0 : kernels.address(tensor))
  kernels.native.gemm(
    kernels.address(x), m, k, k, 1,
    kernels.address(packed), n, address(bias), code, address(residual),
    kernels.address(y), scratch,
  )
  return y
}

/**
 * a `[..., M, K]` (or `[..., K, M]` where `transposeA`) times b `[..., K, N]` (or `[..., N, K]` where `transposeB`):
 * `[..., M, N]`. Leading axes broadcast. Consecutive products with the same b share one packing of it.
 */
export const matMul: Implementation = (kernels, inputs, { transposeA = false, transposeB = false }) => {
  const name = 'VitrailMatMul'
  const a = operand(name, inputs, 'a')
  const b = operand(name, inputs, 'b')
  const left = matricesOf(name, 'a', a)
  const right = matricesOf(name, 'b', b)
  const [m, k] = transposeA === true ? [left.columns, left.rows] : [left.rows, left.columns]
  const [depth, n] = transposeB === true ? [right.columns, right.rows] : [right.rows, right.columns]
  if (depth !== k) throw new Error(`${name}: a has ${k} along the shared axis, b has ${depth}`)
  const leading = broadcastLeading(name, [left.leading, right.leading])
  const outputShape = [...leading, m, n]
  // one b for all of a: its matrices are then simply more rows
  const asOneMatrix = transposeA !== true && sizeOf(right.leading) === 1
  const rows = asOneMatrix ? sizeOf(leading) * m : m
  const leftOf = asOneMatrix ? [0] : broadcastIndices(left.leading, leading)
  const rightOf = asOneMatrix ? [0] : broadcastIndices(right.leading, leading)

  const panelBytes = Math.ceil(n / PANEL) * PANEL * k * BYTES
  const scratch = kernels.scratch(panelBytes + kernels.native.gemmScratchBytes(rows, k))
  const out = kernels.output(outputShape)
  const [aAt, bAt, outAt] = [kernels.address(a), kernels.address(b), kernels.address(out)]
  const [aRow, aColumn] = transposeA === true ? [1, m] : [k, 1]
  const [bRow, bColumn] = transposeB === true ? [1, k] : [n, 1]
  let packedIndex = -1
  leftOf.forEach((leftIndex, batch) => {
    const rightIndex = rightOf[batch] ?? 0
    if (rightIndex !== packedIndex) kernels.native.pack(bAt + rightIndex * k * n * BYTES, k, n, bRow, bColumn, scratch)
    packedIndex = rightIndex
    kernels.native.gemm(
      aAt + leftIndex * m * k * BYTES, rows, k, aRow, aColumn,
      scratch, n, 0, activationCodes.none, 0,
      outAt + batch * m * n * BYTES, scratch + panelBytes,
    )
  })
  return out
}
