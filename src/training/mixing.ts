/** Samples of a batch mixed with each other. */
export type { Box, MapSize } from './mixing/box.js'
export { boxMask } from './mixing/boxMask.js'
export { cutBox } from './mixing/cutBox.js'
export { cutMix } from './mixing/cutMix.js'
export { mixToken } from './mixing/mixToken.js'
export { mixUp } from './mixing/mixUp.js'
export { reversed } from './mixing/reversed.js'
