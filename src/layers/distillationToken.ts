import type { Arguments } from './core/choice.js'
import type { Layer } from './core/layer.js'
import { type Prepend, prependTokens } from './core/prependTokens.js'

/**
 * Puts a learned distillation token first (Touvron et al., 2020, section 4). Apply it before the class
 * token, which then stands at 0 and this one at 1. `[tokens, dim] → [tokens + 1, dim]`.
 *
 * Parameter: `dist_token [1, 1, dim]`. Errors: `expectsTokens`.
 *
 * @example
 * pipe(input(196, 192), distillationToken(), classToken()) // Model<[196, 192], [198, 192]>
 */
export const distillationToken = (): Layer<Prepend<1, 'distillationToken'>> => prependTokens('distillationToken', distillationToken, [], 'dist_token', 1)

/** What generators may give {@link distillationToken}. */
export const distillationTokenArguments: Arguments = []
