import { sizeOf } from '../../../shape/shape.js'
import { broadcastIndices, broadcastLeading, matricesOf } from './axes.js'
import { codeOf, expectShape, operand, optionalOperand, type Implementation } from './implementation.js'
import { activationCodes } from './native.js'
import { leftBytes, multiply, packLeft, packRight, productNanoseconds, rightBytes, rightShape, tileBytes } from './products.js'

const BYTES = 4

/** w `[K, N]`, or `[N, K]` where `transposed`, into panels `[ceil(N / 8), K, 8]` for {@link linear}. */
export const pack: Implementation = (kernels, inputs, { transposed = false }) => {
  const w = operand('VitrailPack', inputs, 'w')
  const { leading, rows, columns } = matricesOf('VitrailPack', 'w', w)
  if (leading.length > 0) throw new Error(`VitrailPack: w must have two axes, but has ${w.shape.length}`)
  const [k, n] = transposed === true ? [columns, rows] : [rows, columns]
  const packed = kernels.output(rightShape(k, n))
  const [rowStride, columnStride] = transposed === true ? [1, k] : [n, 1]
  packRight(kernels, { at: kernels.address(w), rowStride, columnStride }, k, n, kernels.address(packed))
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
  expectShape(name, 'packed', packed, rightShape(k, n))
  if (bias !== undefined) expectShape(name, 'bias', bias, [n])
  if (residual !== undefined) expectShape(name, 'residual', residual, [...leading, n])

  const scratch = kernels.scratch(leftBytes(m, k), tileBytes)
  const y = kernels.output([...leading, n])
  const address = (tensor: typeof bias): number => (tensor === undefined ? 0 : kernels.address(tensor))
  const product = { m, k, n, right: kernels.address(packed), bias: address(bias), activation: code, residual: address(residual), out: kernels.address(y) }
  multiply(kernels, product, packLeft(kernels, { at: kernels.address(x), rowStride: k, columnStride: 1 }, k), scratch)
  return y
}

/**
 * a `[..., M, K]` (or `[..., K, M]` where `transposeA`) times b `[..., K, N]` (or `[..., N, K]` where `transposeB`):
 * `[..., M, N]`. Leading axes broadcast. One product is shared out by its columns, many are shared out whole.
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
  const count = sizeOf(leading)
  const [aRow, aColumn] = transposeA === true ? [1, m] : [k, 1]
  const [bRow, bColumn] = transposeB === true ? [1, k] : [n, 1]
  // one b for all of a: its matrices are then simply more rows
  if (count === 1 || (transposeA !== true && sizeOf(right.leading) === 1)) {
    const rows = count * m
    const panelBytes = rightBytes(k, n)
    const scratch = kernels.scratch(panelBytes + leftBytes(rows, k), tileBytes)
    const out = kernels.output(outputShape)
    packRight(kernels, { at: kernels.address(b), rowStride: bRow, columnStride: bColumn }, k, n, scratch)
    multiply(kernels, { m: rows, k, n, right: scratch, out: kernels.address(out) }, packLeft(kernels, { at: kernels.address(a), rowStride: aRow, columnStride: aColumn }, k), scratch + panelBytes)
    return out
  }
  const [leftOf, rightOf] = [broadcastIndices(left.leading, leading), broadcastIndices(right.leading, leading)]
  const pairs = kernels.scratch(2 * count * BYTES, kernels.native.productsScratchBytes(m, k, n))
  const out = kernels.output(outputShape)
  kernels.writeInts(pairs, leftOf.flatMap((index, i) => [index, rightOf[i]!]))
  kernels.run('products', count, count * productNanoseconds(m, k, n), kernels.address(a), kernels.address(b), kernels.address(out), pairs, m, k, n, aRow, aColumn, bRow, bColumn)
  return out
}
