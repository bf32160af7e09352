import type { Arguments } from './core/choice.js'
import type { Layer } from './core/layer.js'
import { type Prepend, prependTokens } from './core/prependTokens.js'

/**
 * Puts a learned class token first (Devlin et al., 2018; Dosovitskiy et al., 2020, section 3.1).
 * `[tokens, dim] → [tokens + 1, dim]`.
 *
 * Parameter: `cls_token [1, 1, dim]`. Errors: `expectsTokens`.
 *
 * @example
 * pipe(input(196, 192), classToken()) // Model<[196, 192], [197, 192]>
 */
export const classToken = (): Layer<Prepend<1, 'classToken'>> => prependTokens('classToken', classToken, [], 'cls_token', 1)

/** What generators may give {@link classToken}. */
export const classTokenArguments: Arguments = []
