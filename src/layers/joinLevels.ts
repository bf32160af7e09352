import { concat } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { fieldNames, type FieldNames } from '../shape/fields.js'
import type { Add } from '../shape/natural.js'
import type { SignalShape } from '../shape/shape.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Finest, type IfLevels, notLevels } from './core/levels.js'
import { firstOf, oneOf } from './core/preconditions.js'
import { resampled, type ResizeKind, resizeKinds } from './core/resampling.js'

/** Options of {@link joinLevels}. */
export interface JoinLevelsConfig {
  /** Default `bilinear`. */
  readonly kind?: ResizeKind
}

/** The shape function of {@link joinLevels}. */
export interface JoinLevels extends ShapeFunction {
  readonly out: IfLevels<this['in'], 'joinLevels', Finest<this['in']> extends readonly [infer H extends number, infer W extends number, number] ? readonly [H, W, AllChannels<this['in'], FieldNames<this['in']>>] : never>
}
type AllChannels<S, Names extends readonly unknown[], Sum extends number = 0> = Names extends readonly [infer N extends keyof S, ...infer Rest]
  ? S[N] extends readonly [number, number, infer C extends number] ? AllChannels<S, Rest, Add<Sum, C>> : never
  : Sum

/**
 * The levels of a pyramid as one map: each at the size of the finest, their channels side by side in alphabetical order,
 * the finest first. `{ level: [height, width, channels] } → [height, width, all channels]`.
 * Errors: `expectsRecord`, `noLevels`, `levelExpectsMap`, `unknownOption`.
 *
 * @example
 * pipe(inputs({ p4: input(14, 14, 256), p5: input(7, 7, 256) }), joinLevels()) // Model<{ p4: [14, 14, 256], p5: [7, 7, 256] }, [14, 14, 512]>
 */
export const joinLevels = (config: JoinLevelsConfig = {}): Layer<JoinLevels> => {
  const { kind = 'bilinear' } = config
  return defineLayer<JoinLevels, Readonly<Record<string, Tensor>>, SignalShape>('joinLevels', joinLevels, [config], {
    config: { kind },
    accepts: 'record',
    check: shape => firstOf(() => oneOf('joinLevels', 'kind', kind, resizeKinds), () => notLevels('joinLevels', shape)),
    forward: levels => {
      const maps = fieldNames(levels).map(name => levels[name]!)
      const [rows, columns] = maps[0]!.shape as readonly [number, number, number]
      return maps.length === 1 ? maps[0]! : concat(maps.map(map => resampled(map, rows, columns, kind)), 2)
    },
  })
}

/** What generators may give {@link joinLevels}. */
export const joinLevelsArguments: Arguments = [choice.options({}, { kind: choice.among(...resizeKinds) })]
/** A record that {@link joinLevels} takes. */
export const joinLevelsTakes: Takes = { p2: ['h', 'w', 'c'], p3: ['i', 'v', 'd'] }
