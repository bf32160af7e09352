import { add } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { fieldNames } from '../shape/fields.js'
import type { SignalShape } from '../shape/shape.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { conv2d } from './conv2d.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type IfLevels, notLevels } from './core/levels.js'
import { firstOf, oneOf, sizes } from './core/preconditions.js'
import { resampled, type ResizeKind, resizeKinds } from './core/resampling.js'

/** Options of {@link featurePyramid}. */
export interface FeaturePyramidConfig<D extends number> {
  /** Channels of every level that comes out. */
  readonly dim: D
  /** How a coarser level is brought to the size of the next (default `nearest`). */
  readonly kind?: ResizeKind
}

/** The shape function of {@link featurePyramid}. */
export interface FeaturePyramid<D extends number> extends ShapeFunction {
  readonly out: IfLevels<this['in'], 'featurePyramid', { readonly [K in keyof this['in']]: AtDim<this['in'][K], D> }>
}
type AtDim<S, D extends number> = S extends readonly [infer H extends number, infer W extends number, number] ? readonly [H, W, D] : never

/**
 * A feature pyramid (Lin et al., 2017, "Feature pyramid networks", section 3): each level of a hierarchical backbone
 * projected to `dim` channels, with the next coarser one added from the top down, and smoothed by a 3×3 convolution.
 * `{ level: [height, width, channels] } → { level: [height, width, dim] }`. Levels are in alphabetical order, the finest
 * first: `p2`, `p3`, `p4`, `p5`.
 *
 * Parameters under `fpn`, as torchvision's, levels by number from the finest: `inner_blocks` (`inner_blocks.0.0`, a
 * convolution of one pixel) and `layer_blocks` (`layer_blocks.0.0`, 3×3).
 * Errors: `expectsRecord`, `noLevels`, `levelExpectsMap`, `notASize`, `unknownOption`.
 *
 * @example
 * pipe(inputs({ p4: input(14, 14, 384), p5: input(7, 7, 768) }), featurePyramid({ dim: 256 })) // Model<{ p4: [14, 14, 384], p5: [7, 7, 768] }, { p4: [14, 14, 256], p5: [7, 7, 256] }>
 */
export const featurePyramid = <const D extends number>(config: FeaturePyramidConfig<D>): Layer<FeaturePyramid<D>> => {
  const { dim, kind = 'nearest' } = config
  return defineLayer<FeaturePyramid<D>, Readonly<Record<string, Tensor>>, SignalShape>('featurePyramid', featurePyramid, [config], {
    config: { dim, kind },
    scope: 'fpn',
    accepts: 'record',
    check: shape => firstOf(() => sizes('featurePyramid', { dim }), () => oneOf('featurePyramid', 'kind', kind, resizeKinds), () => notLevels('featurePyramid', shape)),
    forward: (levels, { apply }) => {
      const names = fieldNames(levels)
      const laterals = names.map((name, i) => apply(conv2d({ dim, kernelSize: 1 }), levels[name]!, `inner_blocks.${i}.0`) as Tensor)
      const merged = laterals.reduceRight<readonly Tensor[]>((coarser, lateral) => {
        const [above] = coarser
        return [above === undefined ? lateral : add(lateral, resampled(above, lateral.shape[0]!, lateral.shape[1]!, kind)), ...coarser]
      }, [])
      const smoothed = new Map(names.map((name, i) => [name, apply(conv2d({ dim, kernelSize: 3, padding: 1 }), merged[i]!, `layer_blocks.${i}.0`)]))
      return Object.fromEntries(Object.keys(levels).map(name => [name, smoothed.get(name)!]))
    },
  })
}

/** What generators may give {@link featurePyramid}. */
export const featurePyramidArguments: Arguments = [choice.options({ dim: choice.size }, { kind: choice.among(...resizeKinds) })]
/** A record that {@link featurePyramid} takes. */
export const featurePyramidTakes: Takes = { p2: ['h', 'w', 'c'], p3: ['i', 'v', 'd'] }
