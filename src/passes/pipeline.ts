import type { Signal } from '../ops/tensor.js'
import { convolutionsAsLinear } from './convolutionsAsLinear.js'
import { foldConstants } from './foldConstants.js'
import { foldScales } from './foldScales.js'
import { foldTransposes } from './foldTransposes.js'
import { fuseElementwise } from './fuseElementwise.js'
import { fuseGroupNorm } from './fuseGroupNorm.js'
import { fuseLinear } from './fuseLinear.js'
import { gatherMoves } from './gatherMoves.js'
import { narrowRows } from './narrowRows.js'
import { packAttention } from './packAttention.js'
import type { Pass } from './pass.js'
import { removeIdentities } from './removeIdentities.js'
import { removeMarks } from './removeMarks.js'
import { shareSubexpressions } from './shareSubexpressions.js'

/**
 * Every pass, in order: what is folded may turn out to change nothing; what is joined comes last, since the others know
 * only single ops. Dead code needs none: a graph is what its roots reach. What a pass says it is worth is the ratio of
 * runs without and with it, in turn in one process, on a machine that others used too.
 */
export const pipeline: readonly (readonly [string, Pass])[] = [
  ['removeMarks', removeMarks],
  ['foldConstants', foldConstants],
  ['removeIdentities', removeIdentities],
  ['shareSubexpressions', shareSubexpressions],
  ['convolutionsAsLinear', convolutionsAsLinear],
  ['foldScales', foldScales],
  ['gatherMoves', gatherMoves],
  // Equal scales make equal weights, and tables of numbers are equal.
  ['shareSubexpressions', shareSubexpressions],
  ['narrowRows', narrowRows],
  ['foldTransposes', foldTransposes],
  ['packAttention', packAttention],
  ['fuseLinear', fuseLinear],
  ['fuseGroupNorm', fuseGroupNorm],
  ['fuseElementwise', fuseElementwise],
]

/** The roots of a graph after every pass. What a pass has left it would leave as it is. */
export const optimise: Pass = roots => {
  const left = new Map<Pass, readonly Signal[]>()
  return pipeline.reduce<readonly Signal[]>((signals, [, pass]) => {
    if (left.get(pass) !== signals) left.set(pass, pass(signals))
    return left.get(pass)!
  }, roots)
}
