import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { places, type Place } from '../../graph/tree/places.js'
import { replaced } from '../../graph/tree/rewrite.js'
import { trace } from '../../graph/trace.js'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel } from '../../layers/core/model.js'
import { serial } from '../../layers/serial.js'
import { problem, type Problem } from '../../shape/problem.js'
import { blocksOf } from './blocksOf.js'

/**
 * A model with a layer more at the end of every residual branch, but before what drops the branch. `make` is told which
 * block it is in, and which of its branches it is, from 1.
 *
 * Errors: those of `trace`, also of the new model; `nothingToChange` where there is no `residual`.
 */
export const inBranches = (m: AnyModel, who: string, make: (block: number, blocks: number, branch: number) => AnyLayer): Either<Problem, AnyModel> => {
  const all = places(m)
  if (all._tag === 'Left') return all
  const found = all.right.filter(({ address, layer }) => address !== undefined && layer.definition.kind === 'residual')
  if (found.length === 0) return left(problem('nothingToChange', `${who}: this model has no residual branch`, { remedy: 'build its blocks from encoderBlock, transformerBlock2d or residual' }))
  const blocks = blocksOf(found)
  const ofBlock = (place: Place): Place[] => found.filter(other => blocks.of(other) === blocks.of(place))
  const made = replaced(m, who, found, place => {
    const branch = ofBlock(place).findIndex(({ address }) => address === place.address) + 1
    const { make: rebuild, args } = place.layer.definition
    return rebuild(...([withLast(args[0] as AnyLayer, make(blocks.of(place), blocks.count, branch)), ...args.slice(1)] as never[]))
  })
  if (made._tag === 'Left') return made
  const traced = trace(made.right)
  return traced._tag === 'Left' ? traced : right(made.right)
}

const withLast = (branch: AnyLayer, last: AnyLayer): AnyLayer => {
  const { kind, args } = branch.definition
  const parts = kind === 'serial' ? (args as readonly AnyLayer[]) : [branch]
  const end = parts.at(-1)
  return end !== undefined && drops(end) ? serial(...parts.slice(0, -1), last, end) : serial(...parts, last)
}

const drops = ({ definition: { kind, args } }: AnyLayer): boolean => kind === 'dropPath' || (kind === 'named' && isLayer(args[1]) && drops(args[1]))
