import { type Arguments, choice } from './core/choice.js'
import type { Layer } from './core/layer.js'
import { type Prepend, prependTokens } from './core/prependTokens.js'

/**
 * Puts `count` learned registers first (Darcet et al., 2023). Apply it before the class token.
 * `[tokens, dim] → [tokens + count, dim]`.
 *
 * Parameter: `reg_token [1, count, dim]`. Errors: `expectsTokens`.
 *
 * @example
 * pipe(input(256, 384), registerTokens(4), classToken()) // Model<[256, 384], [261, 384]>
 */
export const registerTokens = <const Count extends number>(count: Count): Layer<Prepend<Count, 'registerTokens'>> =>
  prependTokens('registerTokens', registerTokens, [count], 'reg_token', count)

/** What generators may give {@link registerTokens}. */
export const registerTokensArguments: Arguments = [choice.whole(1, 3)]
