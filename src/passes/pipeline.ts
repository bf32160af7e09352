import type { Signal } from '../ops/tensor.js'
import { foldConstants } from './foldConstants.js'
import type { Pass } from './pass.js'
import { removeIdentities } from './removeIdentities.js'
import { removeMarks } from './removeMarks.js'
import { shareSubexpressions } from './shareSubexpressions.js'

/** Every pass, in order: what is folded may turn out to change nothing. Dead code needs none: a graph is what its roots reach. */
export const pipeline: readonly (readonly [string, Pass])[] = [
  ['removeMarks', removeMarks],
  ['foldConstants', foldConstants],
  ['removeIdentities', removeIdentities],
  ['shareSubexpressions', shareSubexpressions],
]

/** The roots of a graph after every pass. */
export const optimise: Pass = roots => pipeline.reduce<readonly Signal[]>((signals, [, pass]) => pass(signals), roots)
