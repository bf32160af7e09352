import { classToken, embedding, encoderBlock, globalPool, layerNorm, linear, named, positionEmbed, repeat, serial, takeToken, when } from '../../src/index.js'
import { is, not } from './conditions.js'
import { option } from './recipe.js'

/** The options of a text encoder. */
export interface TextEncoderConfig {
  readonly vocabularySize: number
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  /** Classes, or features of a tower; 0 leaves out the head. */
  readonly numClasses: number
  /** What stands for the whole text: a class token, or the mean of all (default `token`). */
  readonly pool?: 'token' | 'average'
  readonly mlpRatio?: number
  readonly epsilon?: number
  readonly dropout?: number
}

/**
 * A text classifier of the blocks that image encoders are made of (Devlin et al., 2018, but with norms before each
 * branch): embedded tokens, positions, encoder blocks, a head. Also a text tower for `dualEncoder`.
 * `integers [tokens] → [numClasses]`; without a head, `[dim]`.
 *
 * Errors: `expectsIntegers`; those of `attention`.
 *
 * @example
 * pipe(integerInput(128), textEncoder({ vocabularySize: 258, dim: 128, depth: 4, numHeads: 4, numClasses: 2 })) // Model<Integers<[128]>, [2]>
 */
export const textEncoder = <const C extends TextEncoderConfig>(config: C) => {
  const { mlpRatio = 4, epsilon = 1e-6, dropout = 0 } = config
  const pool = option(config, 'pool', 'token')
  const classes = option(config, 'numClasses', 0)
  return serial(
    embedding({ vocabularySize: config.vocabularySize, dim: config.dim as C['dim'] }),
    when(is(pool, 'token'), classToken()),
    positionEmbed(),
    repeat(config.depth as C['depth'], encoderBlock({ numHeads: config.numHeads as C['numHeads'], mlpRatio, epsilon, dropout })),
    layerNorm({ epsilon }),
    when(is(pool, 'token'), takeToken(0)),
    when(not(is(pool, 'token')), globalPool()),
    when(not(is(classes, 0)), named('head', linear(classes))),
  )
}
