/** What models that drop tokens are trained with, as ops: `decideTokens` uses it, with noise of its own. */
export { keepDecision, logisticNoise } from '../layers/core/keepDecision.js'
export { policySoftmax } from '../layers/core/policySoftmax.js'
