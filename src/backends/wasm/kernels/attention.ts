import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../shape/shape.js'
import { broadcastIndices, broadcastLeading, showShape } from './axes.js'
import { expectShape, operand, optionalOperand, type Implementation } from './implementation.js'
import type { Kernels } from './kernels.js'

const BYTES = 4

/** Where an operand lies: elements from one image, head and token to the next, and which of its images each image has. */
interface Layout {
  readonly at: number
  readonly image: number
  readonly head: number
  readonly token: number
  readonly imageOf: readonly number[]
}

/** Attention over many images; the result's own layout has `images` of them. */
interface Attended {
  readonly heads: number
  readonly queries: number
  readonly keys: number
  readonly headDim: number
  readonly images: number
}

const planInts = (images: number): number => 19 + 4 * images

/** Runs the kernel once the plan has its place in scratch. */
const attend = (kernels: Kernels, { heads, queries, keys, headDim, images }: Attended, [q, k, v, bias, out]: readonly [Layout, Layout, Layout, Layout, Layout], scale: number, plan: number): void => {
  const strides = [q, k, v, out, bias].flatMap(({ image, head, token }) => [image, head, token])
  const imageOf = Array.from({ length: images }, (_, i) => [q, k, v, bias].map(layout => layout.imageOf[i]!))
  kernels.writeInts(plan, [heads, queries, keys, headDim, ...strides, ...imageOf.flat()])
  const nanoseconds = images * heads * queries * keys * (headDim / 10 + 1)
  kernels.run('attention', images * heads * Math.ceil(queries / 8), nanoseconds, q.at, k.at, v.at, bias.at, out.at, plan, scale)
}

const scratchFor = (kernels: Kernels, { images, keys, headDim }: Attended): number => kernels.scratch(planInts(images) * BYTES, kernels.native.attentionScratchBytes(keys, headDim))
const inOrder = (images: number): readonly number[] => Array.from({ length: images }, (_, i) => i)
const noBias = (images: number): Layout => ({ at: 0, image: 0, head: 0, token: 0, imageOf: Array<number>(images).fill(0) })

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
  const shape = { heads, queries, keys, headDim, images: sizeOf(leading) }
  const plan = scratchFor(kernels, shape)
  const out = kernels.output([...leading, heads, queries, headDim])
  const layoutOf = (tensor: TensorInfo): Layout => {
    const tokens = tensor.shape.at(-2)!
    return { at: kernels.address(tensor), image: heads * tokens * headDim, head: tokens * headDim, token: headDim, imageOf: broadcastIndices(leadingOf(tensor), leading) }
  }
  const biasLayout = bias === undefined ? noBias(shape.images) : { at: kernels.address(bias), image: biasHeads * biasQueries * keys, head: biasHeads === 1 ? 0 : biasQueries * keys, token: biasQueries === 1 ? 0 : keys, imageOf: broadcastIndices(leadingOf(bias), leading) }
  attend(kernels, shape, [layoutOf(q), layoutOf(k), layoutOf(v), biasLayout, layoutOf(out)], scaleOf(name, scale), plan)
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
  const headDim = channels / heads
  const shape = { heads, queries, keys, headDim, images }
  const biasLayout = bias === undefined ? noBias(images) : layoutOfBias(name, bias, leading, shape)
  const plan = scratchFor(kernels, shape)
  const out = kernels.output([...leading, queries, channels])
  const imageOf = inOrder(images)
  const layoutOf = (tensor: TensorInfo): Layout => ({ at: kernels.address(tensor), image: tensor.shape.at(-2)! * channels, head: headDim, token: channels, imageOf })
  attend(kernels, shape, [layoutOf(q), layoutOf(k), layoutOf(v), { ...biasLayout, at: bias === undefined ? 0 : kernels.address(bias) }, layoutOf(out)], scaleOf(name, scale), plan)
  return out
}

/**
 * The same on a joint projection qkv `[..., tokens, 3 · heads · d]`, whose channels are q, then k, then v, each with its
 * heads one after the other: `[..., tokens, heads · d]`. No head is ever copied out or transposed.
 */
export const packedAttention: Implementation = (kernels, inputs, { numHeads, scale }) => {
  const name = 'VitrailPackedAttention'
  const qkv = operand(name, inputs, 'qkv')
  const bias = optionalOperand(name, inputs, 'bias')
  const { leading, tokens, width, channels, shape } = packedShape(name, qkv, numHeads)
  const biasLayout = bias === undefined ? noBias(shape.images) : layoutOfBias(name, bias, leading, shape)
  const plan = scratchFor(kernels, shape)
  const out = kernels.output([...leading, tokens, channels])
  const imageOf = inOrder(shape.images)
  const part = (index: number): Layout => ({ at: kernels.address(qkv) + index * channels * BYTES, image: tokens * width, head: shape.headDim, token: width, imageOf })
  attend(kernels, shape, [part(0), part(1), part(2), { ...biasLayout, at: bias === undefined ? 0 : kernels.address(bias) }, { at: kernels.address(out), image: tokens * channels, head: shape.headDim, token: channels, imageOf }], scaleOf(name, scale), plan)
  return out
}

/**
 * The gradient of {@link packedAttention} for qkv, given that of its result, dy `[..., tokens, heads · d]`; with `scores` that
 * of the scores, and so of the bias, behind it in each row: `[..., tokens, 3 · heads · d + heads · tokens]`.
 */
export const packedAttentionGradient: Implementation = (kernels, inputs, { numHeads, scale, scores }) => {
  const name = 'VitrailPackedAttentionGradient'
  const [qkv, dy, bias] = [operand(name, inputs, 'qkv'), operand(name, inputs, 'dy'), optionalOperand(name, inputs, 'bias')]
  const { leading, tokens, width, channels, shape } = packedShape(name, qkv, numHeads)
  const { heads, headDim, images } = shape
  expectShape(name, 'dy', dy, [...leading, tokens, channels])
  const { imageOf } = bias === undefined ? noBias(images) : layoutOfBias(name, bias, leading, shape)
  const biasOf = kernels.scratch(images * BYTES, kernels.native.packedAttentionGradientScratchBytes(tokens, headDim))
  const out = kernels.output([...leading, tokens, width + (scores === true ? heads * tokens : 0)])
  kernels.writeInts(biasOf, imageOf)
  const nanoseconds = images * heads * tokens * tokens * (headDim / 4 + 2)
  const operands = [kernels.address(qkv), kernels.address(dy), bias === undefined ? 0 : kernels.address(bias), biasOf, kernels.address(out)] as const
  kernels.run('packedAttentionGradient', images * heads, nanoseconds, ...operands, heads, tokens, headDim, scaleOf(name, scale), scores === true ? 1 : 0)
  return out
}

const packedShape = (name: string, qkv: TensorInfo, numHeads: unknown) => {
  const heads = Number(numHeads)
  const [tokens, width] = qkv.shape.slice(-2)
  if (tokens === undefined || width === undefined || width % (3 * heads) !== 0) {
    throw new Error(`${name}: qkv must be [..., tokens, 3 × ${heads} heads × d], but is ${showShape(qkv.shape)}`)
  }
  const leading = qkv.shape.slice(0, -2)
  const shape: Attended = { heads, queries: tokens, keys: tokens, headDim: width / 3 / heads, images: sizeOf(leading) }
  return { leading, tokens, width, channels: width / 3, shape }
}

/** A bias `[..., heads, queries, keys]`, one for all images or for some of the leading axes, but for its address. */
const layoutOfBias = (name: string, bias: TensorInfo, leading: readonly number[], { heads, queries, keys, images }: Attended): Layout => {
  const [own, size] = [bias.shape.slice(0, -3), heads * queries * keys]
  if (sizeOf(bias.shape.slice(-3)) !== size || sizeOf(broadcastLeading(name, [own, leading])) !== images) {
    throw new Error(`${name}: the bias must be ${showShape([heads, queries, keys])} for one image or for each, but is ${showShape(bias.shape)}`)
  }
  return { at: 0, image: size, head: queries * keys, token: keys, imageOf: broadcastIndices(own, leading) }
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
