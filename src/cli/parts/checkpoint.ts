import { left, type Either } from 'fp-ts/lib/Either.js'
import type { Weights } from '../../backends/loadOnce.js'
import type { Mode } from '../../layers/core/layer.js'
import type { AnyModel } from '../../layers/core/model.js'
import type { Problem } from '../../shape/problem.js'
import { loadWeights } from '../../weights/loadWeights.js'
import type { Safetensors } from '../../weights/safetensors.js'
import { storedDtypes } from '../../weights/storedDtype.js'
import { fittingRecipes } from './fittingRecipes.js'

/**
 * A weight file as the weights of a model, as `loadWeights`. Left alone are also integer buffers (index tables,
 * counters) and what a recording holds beside its weights (`@in/x`).
 *
 * Errors: those of `trace`; `weightsMisfit`, with every name at once and the published model that would fit, if one does.
 */
export const checkpoint = (file: Safetensors, model: AnyModel, mode: Mode = 'inference'): Either<Problem, Weights> => {
  const held = new Map([...file.tensors].filter(([name, { dtype }]) => !name.startsWith('@') && storedDtypes[dtype].reads !== 'integer'))
  const loaded = loadWeights(file, model, { ignore: name => file.tensors.has(name) && !held.has(name), mode })
  if (loaded._tag === 'Right' || loaded.left.code !== 'weightsMisfit') return loaded
  const fitting = fittingRecipes(held)
  return fitting.length === 0 ? loaded : left({ ...loaded.left, remedy: `these weights fit ${fitting.join(', ')}` })
}
