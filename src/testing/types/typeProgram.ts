import type { AnyModel } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { trace } from '../../graph/trace.js'
import { isIntegers, isShape, type SignalShape } from '../../shape/shape.js'
import { toSource } from '../source/toSource.js'

/** A model whose type is asked for. */
export interface TypedModel {
  readonly name: string
  readonly model: AnyModel
  /** Where the compiler finds it: a module and an expression of what it exports; absent: it is written out as source. */
  readonly exported?: { readonly module: string; readonly binding: string; readonly expression: string }
}

/**
 * A TypeScript program that compiles if and only if the compiler's shape of a model is the traced one, axis by axis,
 * or leaves an axis open; nothing where the model cannot be written down.
 *
 * @example
 * typeProgram({ name: 'x', model: pipe(input(5, 8), linear(3)) }).includes('readonly [5, 3]') // true
 */
export const typeProgram = <M extends Pick<AnyModel, 'input' | 'layers'>>({ model: given, exported }: Omit<TypedModel, 'model'> & { readonly model: M }): string | undefined => {
  const model = given as unknown as AnyModel
  const graph = trace(model)
  if (graph._tag === 'Left') return undefined
  const written = exported === undefined ? toSource(model) : `import { ${exported.binding} } from ${JSON.stringify(exported.module)}\nexport const model = ${exported.expression}\n`
  if (/your-layers/.test(written)) return undefined
  return `${written}
import type { Model as Checked } from 'vitrail'
type Asked = typeof model extends { readonly withConfig: unknown; readonly model: infer M } ? M : typeof model
type Told = Asked extends Checked<infer _, infer S> ? S : never
type Traced = ${shapeType(shapeOfSignal(graph.right.output))}
export const agrees: [Traced] extends [Told] ? true : Told = true
`
}

const shapeType = (shape: SignalShape): string =>
  isShape(shape) ? `readonly [${shape.join(', ')}]` : isIntegers(shape) ? `{ readonly integers: ${shapeType(shape.integers)} }` : `{ ${Object.entries(shape).map(([name, field]) => `readonly ${name}: ${shapeType(field)}`).join('; ')} }`
