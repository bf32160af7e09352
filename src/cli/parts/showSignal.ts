import { isIntegers, isShape, show, type SignalShape } from '../../shape/shape.js'

/**
 * A shape for a table, records spelt out: `{ image: 224×224×3, text: integers 77 }`.
 *
 * @example
 * showSignal([197, 192]) // '197×192'
 */
export const showSignal = (shape: SignalShape): string =>
  isShape(shape) || isIntegers(shape) ? show(shape) : `{ ${Object.entries(shape).map(([name, field]) => `${name}: ${showSignal(field)}`).join(', ')} }`
