import { adamw } from './adamw.js'
import { contrastive } from './contrastive.js'
import { dynamicPruning } from './dynamicPruning.js'
import { distillation } from './distillation.js'
import { layerDecay } from './layerDecay.js'
import { layerScale } from './layerScale.js'
import { losses } from './losses.js'
import { maeMasking } from './maeMasking.js'
import { mixing } from './mixing.js'
import { mixToken } from './mixToken.js'
import { movingAverage } from './movingAverage.js'
import { positionResize } from './positionResize.js'
import { schedule } from './schedule.js'
import { stochasticDepth } from './stochasticDepth.js'
import { tokenLabelling } from './tokenLabelling.js'
import type { Trick } from './trick.js'

/** Every kind of trick that can be replayed. */
export const tricks: Readonly<Record<string, Trick>> = { adamw, contrastive, distillation, dynamicPruning, layerDecay, layerScale, losses, maeMasking, mixing, mixToken, movingAverage, positionResize, schedule, stochasticDepth, tokenLabelling }
