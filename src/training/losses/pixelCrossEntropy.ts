import { constant, divide, multiply, scalar, subtract, sum } from '../../ops/ops.js'
import { OpError } from '../../ops/opError.js'
import type { Tensor } from '../../ops/tensor.js'
import { sameShape, show } from '../../shape/shape.js'
import { logSoftmax } from './logSoftmax.js'
import { oneHot } from './oneHot.js'
import { total } from './total.js'

/** Options of {@link pixelCrossEntropy}. */
export interface PixelCrossEntropyOptions {
  /** The number that pixels without a class have (default 255, as in ADE20K and Cityscapes); they count for nothing, nor do numbers between the classes and it. */
  readonly ignore?: number
  /** A weight for each class (default 1). */
  readonly weights?: readonly number[]
}

/**
 * Cross-entropy of every pixel's class: `−Σ w · log p(class) / Σ w` over the pixels of the batch that have one.
 * `[..., numClasses], integers [...] → []`. It is PyTorch's `cross_entropy(…, weight, ignore_index)`; in a batch without
 * any class it is not a number. For soft targets there is `crossEntropy`.
 *
 * Like an op, it throws an `OpError` where the shapes differ, or where there is not one weight for each class.
 *
 * @example
 * pixelCrossEntropy(ops.input('logits', [224, 224, 150]), ops.input('labels', [224, 224], 'int32')).shape // []
 */
export const pixelCrossEntropy = (logits: Tensor, labels: Tensor, { ignore = 255, weights }: PixelCrossEntropyOptions = {}): Tensor => {
  const [numClasses, places] = [logits.shape.at(-1) as number, logits.shape.slice(0, -1)]
  if (!sameShape(places, labels.shape)) throw new OpError(`pixelCrossEntropy: logits are ${show(logits.shape)}, but labels are ${show(labels.shape)}`)
  if (weights !== undefined && weights.length !== numClasses) throw new OpError(`pixelCrossEntropy: there are ${weights.length} weights, but ${numClasses} classes`)
  if (!(Number.isInteger(ignore) && ignore >= 0)) throw new OpError(`pixelCrossEntropy: labels are whole numbers from 0, so none can be ${ignore}; let pixels without a class have another number, such as 255`)
  const each = Float32Array.from({ length: numClasses }, (_, i) => (i === ignore ? 0 : (weights?.[i] ?? 1)))
  const counted = multiply(oneHot(labels, numClasses, Math.max(numClasses, ignore + 1)), constant(each, [numClasses]))
  return divide(subtract(scalar(0), total(sum(multiply(counted, logSoftmax(logits)), [places.length]))), total(counted))
}
