import type { DType, Shape } from '../shape/shape.js'
import type { Initialiser } from './initialiser.js'

/** The activations a GELU can mean: exact (erf), Hendrycks' tanh form, and CLIP's `x·σ(1.702x)`. */
export type GeluForm = 'erf' | 'tanh' | 'quick'

/**
 * The closed set of tensor operations, with what each needs to know beside its inputs. Adding one is a
 * list of compile errors, one for every table that must learn it.
 */
export interface Attributes {
  // leaves
  readonly input: { readonly name: string }
  readonly parameter: { readonly name: string; readonly initialiser: Initialiser; readonly role: ParameterRole }
  readonly constant: { readonly data: Float32Array | Int32Array }
  /** 1/keep with probability `keep`, else 0: an inverted-dropout mask, drawn from the stream of that name. */
  readonly dropMask: { readonly stream: string; readonly keep: number }
  // elementwise, with broadcasting over axes of size 1
  readonly add: None
  readonly subtract: None
  readonly multiply: None
  readonly divide: None
  readonly maximum: None
  readonly minimum: None
  readonly power: { readonly exponent: number }
  readonly exp: None
  readonly log: None
  readonly sqrt: None
  readonly tanh: None
  readonly sigmoid: None
  readonly relu: None
  /** 1 where positive, else 0. */
  readonly step: None
  readonly gelu: { readonly form: GeluForm }
  // axes
  readonly reshape: None
  readonly transpose: { readonly perm: readonly number[] }
  readonly slice: { readonly begin: readonly number[] }
  readonly pad: { readonly begin: readonly number[] }
  /** Over its axes of size 1; over the batch too where `batchSize` is its second input. */
  readonly broadcast: None
  readonly concat: { readonly axis: number }
  readonly gather: None
  /** One table for all samples, or one for each. */
  readonly scatterAdd: { readonly overBatch: boolean }
  /** Where each element of the sorted last axis came from. */
  readonly argsort: { readonly descending: boolean }
  // reductions; reduced axes are dropped unless `keepDims`
  readonly sum: Reduction
  readonly mean: Reduction
  readonly max: Reduction
  /** The number of samples of a run, as a single number. */
  readonly batchSize: None
  /** The sum over the batch axis; the result has none. */
  readonly batchSum: None
  /** The mean over the batch axis; the result has none. */
  readonly batchMean: None
  /** The samples, in the opposite order. */
  readonly batchReverse: None
  /** The samples as an axis in front, in memory the same. */
  readonly batchToAxis: None
  /** An axis in front as the samples. */
  readonly axisToBatch: None
  readonly softmax: None
  readonly layerNorm: { readonly epsilon: number }
  // contractions
  readonly matmul: { readonly transposeA: boolean; readonly transposeB: boolean }
  readonly linear: None
  readonly attention: { readonly numHeads: number; readonly scale: number }
  readonly conv2d: Convolution
  // windows over an image
  readonly maxPool: Pooling
  readonly averagePool: Pooling & { readonly countPadding: boolean }
  // adjoints: what a gradient needs and no composition gives cheaply
  readonly geluGradient: { readonly form: GeluForm }
  readonly softmaxGradient: None
  readonly layerNormGradient: { readonly epsilon: number }
  readonly linearWeightGradient: None
  readonly conv2dInputGradient: Convolution
  readonly conv2dWeightGradient: Convolution
  readonly maxPoolGradient: Pooling
  // recomputation
  /** The value of the first input, once the second is known. */
  readonly after: None
  /** The value of the first input, which gradients compute anew from the others instead of keeping what led to it. */
  readonly remat: None
  /** The same value, through which no gradient passes. */
  readonly detach: None
  // fusion: what passes make of several ops, and kernels do in one go; `unfused` says of which
  /** A linear map, then an activation, then a sum with the last input where there is a `residual`. */
  readonly fusedLinear: { readonly activation: FusedActivation; readonly residual: boolean }
  /** Attention on queries, keys and values side by side in one tensor. */
  readonly packedAttention: { readonly numHeads: number; readonly scale: number }
  /** With `scores`, the gradient of the scores behind it: see its constructor. */
  readonly packedAttentionGradient: { readonly numHeads: number; readonly scale: number; readonly scores?: boolean }
  /** Group norm with a scale and a shift of each channel, then an activation. */
  readonly groupNorm: { readonly numGroups: number; readonly epsilon: number; readonly activation: FusedActivation }
  readonly groupNormGradient: { readonly numGroups: number; readonly epsilon: number }
  /** The sum of the squares of all there is in several tensors. */
  readonly squareSum: None
  /** Several elementwise ops in a row. */
  readonly elementwise: { readonly steps: readonly ElementwiseStep[] }
}

/** What a fused op can do last; the forms of GELU by their own names. (A layer's `activation` option has the names that recipes use.) */
export type FusedActivation = GeluForm | 'none' | 'relu' | 'silu'

/** Ops that `elementwise` can hold. */
export type ElementwiseOp = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum' | 'exp' | 'log' | 'sqrt' | 'tanh' | 'sigmoid' | 'relu' | 'step'

/** One of several elementwise ops in a row. Operands are numbered: the inputs first, then the results of the steps so far. */
export interface ElementwiseStep {
  readonly op: ElementwiseOp
  readonly of: readonly number[]
}

/** `trained`; `frozen`: a parameter that stays as it is; `buffer`: a running statistic, kept beside the parameters and not counted with them. */
export type ParameterRole = 'trained' | 'frozen' | 'buffer'

/** How a convolution moves over its image. */
export interface Convolution {
  readonly strides: readonly [number, number]
  /** `[[top, bottom], [left, right]]`. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]]
  readonly groups: number
}

/** How a pooling window moves over its image. */
export interface Pooling {
  readonly size: readonly [number, number]
  readonly strides: readonly [number, number]
  /** `[[top, bottom], [left, right]]`; for the maximum it counts as −∞. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]]
}

interface Reduction {
  readonly axes: readonly number[]
  readonly keepDims: boolean
}
type None = Readonly<Record<never, never>>

/** The name of an operation. */
export type OpKind = keyof Attributes

/**
 * A node of the op graph: an immutable description of a tensor, not its values.
 *
 * `shape` excludes the batch axis; `batched` says whether there is one (parameters and constants have
 * none). Axes in `attributes` count without it.
 */
export interface Tensor<K extends OpKind = OpKind> {
  readonly op: K
  readonly inputs: readonly Tensor[]
  readonly attributes: Attributes[K]
  readonly shape: Shape
  readonly dtype: DType
  readonly batched: boolean
}

/** Ops whose value is given, not computed. */
export type LeafKind = 'input' | 'parameter' | 'constant' | 'dropMask'

/** Ops that compute. */
export type ComputedKind = Exclude<OpKind, LeafKind>

/** Whether a node's value is given rather than computed. */
export const isLeaf = ({ op }: Tensor): boolean => op === 'input' || op === 'parameter' || op === 'constant' || op === 'dropMask'

/** The shape of a node's value: the batch axis in front, 1 where there is none. */
export const valueShape = (node: Tensor, batch: number): number[] => [node.batched ? batch : 1, ...node.shape]

/** One tensor, or a record of signals. */
export type Signal = Tensor | { readonly [name: string]: Signal }

/** Whether a signal is a single tensor. */
export const isTensor = (s: Signal): s is Tensor => typeof (s as Tensor).op === 'string' && Array.isArray((s as Tensor).inputs)

/** Whether a node is of one kind, narrowing its attributes. */
export const isOp = <K extends OpKind>(t: Tensor, op: K): t is Tensor<K> => t.op === op

/** The tensors of a signal, in the order of their fields. */
export const tensorsOf = (s: Signal): readonly Tensor[] => (isTensor(s) ? [s] : Object.values(s).flatMap(tensorsOf))

/** A signal with every tensor replaced. */
export const mapSignal = (s: Signal, f: (t: Tensor) => Tensor): Signal =>
  isTensor(s) ? f(s) : Object.freeze(Object.fromEntries(Object.entries(s).map(([k, v]) => [k, mapSignal(v, f)])))

/** Whether a node only gives its input another shape: the values stay where they are in memory. */
export const isRenaming = ({ op }: Tensor): boolean => op === 'reshape' || op === 'batchToAxis' || op === 'axisToBatch'

/** Whether a node's buffer may be its first input's: what renames it always, and what waits on some backends. */
export const mayShareMemory = (node: Tensor): boolean => isRenaming(node) || node.op === 'after'

/** Whether each run decides what a node is, whatever its inputs: what it is fed, draws at random, or how many samples it has. */
export const isOfRun = ({ op }: Tensor): boolean => op === 'input' || op === 'dropMask' || op === 'batchSize' || op === 'axisToBatch'
