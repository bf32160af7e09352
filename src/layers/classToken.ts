import { type Arguments, choice } from './core/choice.js'
import type { Layer } from './core/layer.js'
import { type Prepend, prependTokens } from './core/prependTokens.js'

/** Options of {@link classToken}. */
export interface ClassTokenConfig {
  /** The name of the token where it is stored as one vector, `[dim]`: `class_embedding` in CLIP's checkpoints. */
  readonly vector?: string
}

/**
 * Puts a learned class token first (Devlin et al., 2018; Dosovitskiy et al., 2020, section 3.1).
 * `[tokens, dim] → [tokens + 1, dim]`.
 *
 * Parameter: `cls_token [1, 1, dim]`, or a vector such as `class_embedding [dim]`. Errors: `expectsTokens`.
 *
 * @example
 * pipe(input(196, 192), classToken()) // Model<[196, 192], [197, 192]>
 */
export const classToken = (config: ClassTokenConfig = {}): Layer<Prepend<1, 'classToken'>> =>
  prependTokens('classToken', classToken, [config], 'cls_token', 1, { vector: config.vector })

/** What generators may give {@link classToken}. */
export const classTokenArguments: Arguments = [choice.options({}, { vector: choice.among('class_embedding') })]
