import type { Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import type { Shape } from '../../shape/shape.js'
import type { Expects } from '../../shape/shapeError.js'
import type { ShapeFunction } from '../../shape/shapeFunction.js'
import { type AnyLayer, defineLayer, type Layer } from './layer.js'

/** Keeps the shape of one tensor, whatever it is. */
export interface KeepsShape<Name extends string> extends ShapeFunction {
  readonly out: this['in'] extends Shape ? this['in'] : Expects<'expectsTensor', Name, this['in']>
}

/** A layer without parameters that works element by element, or row by row. */
export const elementwise = <const Name extends string>(
  name: Name,
  make: (...args: never[]) => AnyLayer,
  args: readonly unknown[],
  f: (x: Tensor) => Tensor,
  config: Readonly<Record<string, unknown>> = {},
  check: () => Problem | undefined = () => undefined,
): Layer<KeepsShape<Name>> => defineLayer(name, make, args, { config, check, traits: { reach: 'element' }, forward: x => f(x) })
