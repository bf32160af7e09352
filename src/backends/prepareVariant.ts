import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isOp, tensorsOf, type Tensor } from '../ops/tensor.js'
import { collectNodes } from '../graph/graph.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Device } from './device.js'
import { loadOnce, type Loaded } from './loadOnce.js'
import type { Memory } from './memory.js'
import { plan } from './plan.js'
import { prepare, type PreparedRoutine, type Routine } from './prepare.js'

/**
 * Makes one more routine over parameters that a device holds already, and loads what else it needs: constants, and what
 * follows from them. Errors: `noSuchParameter` (it needs a parameter that is none of them), `parameterMisfit`,
 * `missingKernels`, `loadFailed`.
 */
export const prepareVariant = async <B>(device: Device<B>, routine: Routine, variables: ReadonlySet<Tensor<'parameter'>>, memory: Memory<B>): Promise<Either<Problem, { readonly routine: PreparedRoutine; readonly loaded: Loaded<B> }>> => {
  const names = new Set([...variables].map(p => p.attributes.name))
  const needed = [...collectNodes([...Object.values(routine.outputs).flatMap(tensorsOf), ...(routine.updates ?? []).flatMap(({ parameter, value }) => [parameter, value])])]
  const missing = needed.find(node => isOp(node, 'parameter') && !names.has(node.attributes.name)) as Tensor<'parameter'> | undefined
  if (missing !== undefined) return left(problem('noSuchParameter', `parameters: '${missing.attributes.name}' is none that this session may change, and a routine that is made later can use no other`))
  const prepared = prepare({ variant: routine }, [...names], undefined, variables)
  if (prepared._tag === 'Left') return prepared
  const made = prepared.right.routines.get('variant')!
  const one = plan(device, made.each, made.kept, 1)
  if (one._tag === 'Left') return one
  const loaded = await loadOnce(device, prepared.right, [one.right], new Map(), memory)
  return loaded._tag === 'Left' ? loaded : right({ routine: made, loaded: loaded.right })
}
