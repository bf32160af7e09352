import type { TensorInfo } from '@tensorflow/tfjs-core'
import { broadcastIndices, broadcastLeading, showShape, sizeOf } from './axes.js'
import { expectShape, operand, optionalOperand, type Implementation } from './implementation.js'

const BYTES = 4

/**
 * softmax(scale · q kᵀ + bias) v for q `[..., heads, queries, d]`, k and v `[..., heads, keys, d]` and an optional
 * bias `[..., heads or 1, queries or 1, keys]`: `[..., heads, queries, d]`. Leading axes broadcast.
 */
export const attention: Implementation = (kernels, inputs, { scale }) => {
  const name = 'VitrailAttention'
  const q = operand(name, inputs, 'q')
  const k = operand(name, inputs, 'k')
  const v = operand(name, inputs, 'v')
  const bias = optionalOperand(name, inputs, 'bias')
  const [heads, queries, headDim] = lastThree(name, 'q', q)
  const keys = lastThree(name, 'k', k)[1]
  const leadingOf = (tensor: TensorInfo): number[] => tensor.shape.slice(0, -3)
  expectShape(name, 'k', k, [...leadingOf(k), heads, keys, headDim])
  expectShape(name, 'v', v, [...v.shape.slice(0, -3), heads, keys, headDim])
  const [biasHeads, biasQueries, biasKeys] = bias === undefined ? [1, 1, keys] : lastThree(name, 'bias', bias)
  if ((biasHeads !== heads && biasHeads !== 1) || (biasQueries !== queries && biasQueries !== 1) || biasKeys !== keys) {
    const expected = showShape([heads, queries, keys])
    throw new Error(`${name}: the bias does not broadcast to ${expected}: ${showShape(bias?.shape ?? [])}`)
  }
  const leading = broadcastLeading(name, [q, k, v, ...(bias === undefined ? [] : [bias])].map(leadingOf))

  const scratch = kernels.scratch(kernels.native.attentionScratchBytes(keys, headDim))
  const out = kernels.output([...leading, heads, queries, headDim])
  const image = (tensor: TensorInfo): ((index: number) => number) => {
    const bytes = sizeOf(tensor.shape.slice(-3)) * BYTES
    const indices = broadcastIndices(leadingOf(tensor), leading)
    const base = kernels.address(tensor)
    return (index) => base + (indices[index] ?? 0) * bytes
  }
  const [qAt, kAt, vAt, outAt] = [image(q), image(k), image(v), image(out)]
  const biasAt = bias === undefined ? () => 0 : image(bias)
  const biasQuery = biasQueries === 1 ? 0 : keys
  const biasHead = biasHeads === 1 ? 0 : biasQueries * keys
  for (let i = 0; i < sizeOf(leading); i++) {
    kernels.native.attention(
      qAt(i), kAt(i), vAt(i), biasAt(i), outAt(i), scratch,
      heads, queries, keys, headDim, scaleOf(name, scale),
      headDim, queries * headDim, headDim, keys * headDim, headDim, keys * headDim, headDim, queries * headDim,
      biasHead, biasQuery,
    )
  }
  return out
}

/**
 * The same on tokens whose channels hold the heads one after the other: q `[..., queries, heads · d]`, k and v
 * `[..., keys, heads · d]`, bias `[..., heads, queries, keys]`, whose leading axes may be 1: `[..., queries, heads · d]`.
 * Nothing is transposed.
 */
export const tokenAttention: Implementation = (kernels, inputs, { numHeads, scale }) => {
  const name = 'VitrailTokenAttention'
  const q = operand(name, inputs, 'q')
  const k = operand(name, inputs, 'k')
  const v = operand(name, inputs, 'v')
  const bias = optionalOperand(name, inputs, 'bias')
  const heads = Number(numHeads)
  const [queries, channels] = q.shape.slice(-2)
  const keys = k.shape.at(-2)
  if (queries === undefined || channels === undefined || keys === undefined || channels % heads !== 0) {
    throw new Error(`${name}: q must be [..., queries, ${heads} heads × d], but is ${showShape(q.shape)}`)
  }
  const leading = q.shape.slice(0, -2)
  expectShape(name, 'k', k, [...leading, keys, channels])
  expectShape(name, 'v', v, [...leading, keys, channels])
  const images = sizeOf(leading)
  const biasLeading = bias?.shape.slice(0, -3) ?? []
  const biasSize = heads * queries * keys
  if (bias !== undefined && (sizeOf(bias.shape.slice(-3)) !== biasSize || sizeOf(broadcastLeading(name, [biasLeading, leading])) !== images)) {
    throw new Error(`${name}: the bias must be ${showShape([heads, queries, keys])} for one image or for each, but is ${showShape(bias.shape)}`)
  }
  const headDim = channels / heads
  const scratch = kernels.scratch(kernels.native.attentionScratchBytes(keys, headDim))
  const out = kernels.output([...leading, queries, channels])
  const [qAt, kAt, vAt, outAt] = [kernels.address(q), kernels.address(k), kernels.address(v), kernels.address(out)]
  const biasAt = bias === undefined ? 0 : kernels.address(bias)
  const biasOf = broadcastIndices(biasLeading, leading)
  for (let i = 0; i < images; i++) {
    const [query, key] = [i * queries * channels * BYTES, i * keys * channels * BYTES]
    kernels.native.attention(
      qAt + query, kAt + key, vAt + key, biasAt + (biasOf[i] ?? 0) * biasSize * BYTES, outAt + query, scratch,
      heads, queries, keys, headDim, scaleOf(name, scale),
      channels, headDim, channels, headDim, channels, headDim, channels, headDim,
      queries * keys, keys,
    )
  }
  return out
}

/**
 * Self-attention straight from the output of a joint projection: qkv `[..., tokens, 3 · heads · d]` holds q, then k,
 * then v, each head by head; the result is `[..., tokens, heads · d]`. Nothing is transposed on the way.
 */
export const packedAttention: Implementation = (kernels, inputs, { numHeads, scale }) => {
  const name = 'VitrailPackedAttention'
  const qkv = operand(name, inputs, 'qkv')
  const heads = Number(numHeads)
  const [tokens, width] = qkv.shape.slice(-2)
  if (tokens === undefined || width === undefined || width % (3 * heads) !== 0) {
    throw new Error(`${name}: qkv must be [..., tokens, 3 × ${heads} heads × d], but is ${showShape(qkv.shape)}`)
  }
  const channels = width / 3
  const headDim = channels / heads
  const leading = qkv.shape.slice(0, -2)
  const scratch = kernels.scratch(kernels.native.attentionScratchBytes(tokens, headDim))
  const out = kernels.output([...leading, tokens, channels])
  const [from, to] = [kernels.address(qkv), kernels.address(out)]
  for (let i = 0; i < sizeOf(leading); i++) {
    const q = from + i * tokens * width * BYTES
    kernels.native.attention(
      q, q + channels * BYTES, q + 2 * channels * BYTES, 0, to + i * tokens * channels * BYTES, scratch,
      heads, tokens, tokens, headDim, scaleOf(name, scale),
      width, headDim, width, headDim, width, headDim, channels, headDim,
      0, 0,
    )
  }
  return out
}

const lastThree = (kernel: string, name: string, { shape }: TensorInfo): [heads: number, tokens: number, width: number] => {
  const [heads, tokens, width] = shape.slice(-3)
  if (heads === undefined || tokens === undefined || width === undefined) {
    throw new Error(`${kernel}: ${name} needs at least three axes, but is ${showShape(shape)}`)
  }
  return [heads, tokens, width]
}

const scaleOf = (kernel: string, scale: unknown): number => {
  if (typeof scale !== 'number') throw new Error(`${kernel}: scale must be a number`)
  return scale
}
