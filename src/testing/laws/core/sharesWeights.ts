import { placesOf, type Place } from '../../shrink/placesOf.js'
import type { Subject } from './subject.js'

/** Whether a layer of the model declares that weights inside it serve in several places (see `Traits.shares`). */
export const sharesWeights = (subject: Subject): boolean => {
  const shares = ({ layer, children }: Place): boolean => layer.definition.traits.shares !== undefined || children.some(shares)
  return placesOf(subject.model).some(shares)
}
