import { absolutePositionEmbed } from '../../layers/absolutePositionEmbed.js'
import { attentionDropout } from '../../layers/attentionDropout.js'
import { averagePool } from '../../layers/averagePool.js'
import { batchNorm } from '../../layers/batchNorm.js'
import { classToken } from '../../layers/classToken.js'
import { conv2d } from '../../layers/conv2d.js'
import { decoderBlock } from '../../layers/decoderBlock.js'
import { depthwiseConv2d } from '../../layers/depthwiseConv2d.js'
import { cosineHead } from '../../layers/cosineHead.js'
import { crossAttention } from '../../layers/crossAttention.js'
import { decideTokens } from '../../layers/decideTokens.js'
import { distillationToken } from '../../layers/distillationToken.js'
import { downsample2d } from '../../layers/downsample2d.js'
import { dropPath } from '../../layers/dropPath.js'
import { dropout } from '../../layers/dropout.js'
import { embedding } from '../../layers/embedding.js'
import { encoderBlock } from '../../layers/encoderBlock.js'
import { expectShape } from '../../layers/expectShape.js'
import { expectWindows } from '../../layers/expectWindows.js'
import { expose } from '../../layers/expose.js'
import { fakeQuantise } from '../../layers/fakeQuantise.js'
import { fanOut } from '../../layers/fanOut.js'
import { featurePyramid } from '../../layers/featurePyramid.js'
import { field } from '../../layers/field.js'
import { firstTokens } from '../../layers/firstTokens.js'
import { flattenTokens } from '../../layers/flattenTokens.js'
import { fold } from '../../layers/fold.js'
import { frozen } from '../../layers/frozen.js'
import { gatedPositionalAttention } from '../../layers/gatedPositionalAttention.js'
import { gelu } from '../../layers/gelu.js'
import { globalPool } from '../../layers/globalPool.js'
import { groupNorm } from '../../layers/groupNorm.js'
import { hideTokens } from '../../layers/hideTokens.js'
import { identity } from '../../layers/identity.js'
import { joinLevels } from '../../layers/joinLevels.js'
import { joinTokens } from '../../layers/joinTokens.js'
import { keepTokens } from '../../layers/keepTokens.js'
import { layerNorm } from '../../layers/layerNorm.js'
import { layerScale } from '../../layers/layerScale.js'
import { linear } from '../../layers/linear.js'
import { maskTokens } from '../../layers/maskTokens.js'
import { maxPool } from '../../layers/maxPool.js'
import { mbConv } from '../../layers/mbConv.js'
import { merge } from '../../layers/merge.js'
import { mixTokens } from '../../layers/mixTokens.js'
import { mlp } from '../../layers/mlp.js'
import { named } from '../../layers/named.js'
import { parallel } from '../../layers/parallel.js'
import { patchEmbed } from '../../layers/patchEmbed.js'
import { patchMerging } from '../../layers/patchMerging.js'
import { performerAttention } from '../../layers/performerAttention.js'
import { positionEmbed } from '../../layers/positionEmbed.js'
import { projection } from '../../layers/projection.js'
import { queryTokens } from '../../layers/queryTokens.js'
import { registerTokens } from '../../layers/registerTokens.js'
import { relativeAttention2d } from '../../layers/relativeAttention2d.js'
import { relativeTokenAttention } from '../../layers/relativeTokenAttention.js'
import { relu } from '../../layers/relu.js'
import { remat } from '../../layers/remat.js'
import { repeat } from '../../layers/repeat.js'
import { residual } from '../../layers/residual.js'
import { resize } from '../../layers/resize.js'
import { rmsNorm } from '../../layers/rmsNorm.js'
import { scale } from '../../layers/scale.js'
import { selfAttention } from '../../layers/selfAttention.js'
import { serial } from '../../layers/serial.js'
import { sigmoid } from '../../layers/sigmoid.js'
import { silu } from '../../layers/silu.js'
import { similarityScale } from '../../layers/similarityScale.js'
import { skipTokens } from '../../layers/skipTokens.js'
import { softmax } from '../../layers/softmax.js'
import { squeezeExcite } from '../../layers/squeezeExcite.js'
import { stages } from '../../layers/stages.js'
import { stdConv2d } from '../../layers/stdConv2d.js'
import { subnetwork } from '../../layers/subnetwork.js'
import { takeLargestToken } from '../../layers/takeLargestToken.js'
import { takeToken } from '../../layers/takeToken.js'
import { tanh } from '../../layers/tanh.js'
import { tap } from '../../layers/tap.js'
import { tokenAttention } from '../../layers/tokenAttention.js'
import { tokenDropout } from '../../layers/tokenDropout.js'
import { tokenScores } from '../../layers/tokenScores.js'
import { tokensToMap } from '../../layers/tokensToMap.js'
import { transformerBlock2d } from '../../layers/transformerBlock2d.js'
import { transpose } from '../../layers/transpose.js'
import { unfold } from '../../layers/unfold.js'
import { unmaskTokens } from '../../layers/unmaskTokens.js'
import { unnamed } from '../../layers/unnamed.js'
import { upsample } from '../../layers/upsample.js'
import { when } from '../../layers/when.js'
import { windowAttention } from '../../layers/windowAttention.js'
import { windows } from '../../layers/windows.js'
import * as attention from './attention.js'
import * as blocks from './blocks.js'
import * as channels from './channels.js'
import * as combinators from './combinators.js'
import * as decoders from './decoders.js'
import * as maps from './maps.js'
import * as masking from './masking.js'
import type { Oracle } from './oracle.js'
import * as pruning from './pruning.js'
import * as searched from './searched.js'
import * as tokens from './tokens.js'
import * as towers from './towers.js'
import { windows as inWindows } from './windows.js'

/**
 * Every layer of the listing with its oracle. Layers are told by their constructors, so that a layer of a user's own
 * that has the name of one of ours is not taken for it. A test fails while a listed layer is missing.
 */
export const oracles: ReadonlyMap<unknown, Oracle> = new Map<unknown, Oracle>([
  [absolutePositionEmbed, tokens.absolutePositionEmbed],
  [attentionDropout, channels.nothing],
  [averagePool, maps.averagePool],
  [batchNorm, channels.batchNorm],
  [classToken, tokens.classToken],
  [conv2d, maps.conv2d],
  [cosineHead, towers.cosineHead],
  [crossAttention, attention.crossAttention],
  [decideTokens, pruning.decideTokens],
  [decoderBlock, decoders.decoderBlock],
  [depthwiseConv2d, maps.depthwiseConv2d],
  [distillationToken, tokens.distillationToken],
  [downsample2d, blocks.downsample2d],
  [dropPath, channels.nothing],
  [dropout, channels.nothing],
  [embedding, channels.embedding],
  [encoderBlock, blocks.encoderBlock],
  [expectShape, channels.nothing],
  [expectWindows, channels.nothing],
  [expose, combinators.expose],
  [fakeQuantise, channels.fakeQuantise],
  [fanOut, combinators.fanOut],
  [featurePyramid, decoders.featurePyramid],
  [field, combinators.field],
  [firstTokens, tokens.firstTokens],
  [flattenTokens, tokens.flattenTokens],
  [fold, masking.fold],
  [frozen, combinators.second],
  [gatedPositionalAttention, attention.gatedPositionalAttention],
  [gelu, channels.gelu],
  [globalPool, tokens.globalPool],
  [groupNorm, channels.groupNorm],
  [hideTokens, masking.hideTokens],
  [identity, channels.nothing],
  [joinLevels, decoders.joinLevels],
  [joinTokens, tokens.joinTokens],
  [keepTokens, pruning.keepTokens],
  [layerNorm, channels.layerNorm],
  [layerScale, channels.layerScale],
  [linear, channels.linear],
  [maskTokens, masking.maskTokens],
  [maxPool, maps.maxPool],
  [mbConv, blocks.mbConv],
  [merge, combinators.merge],
  [mixTokens, combinators.mixTokens],
  [mlp, channels.mlp],
  [named, combinators.named],
  [parallel, combinators.parallel],
  [patchEmbed, maps.patchEmbed],
  [patchMerging, maps.patchMerging],
  [performerAttention, masking.performerAttention],
  [positionEmbed, tokens.positionEmbed],
  [projection, towers.projection],
  [queryTokens, decoders.queryTokens],
  [registerTokens, tokens.registerTokens],
  [relativeAttention2d, attention.relativeAttention2d],
  [relativeTokenAttention, searched.relativeTokenAttention],
  [relu, channels.relu],
  [remat, combinators.first],
  [repeat, combinators.repeat],
  [residual, combinators.residual],
  [resize, maps.resize],
  [rmsNorm, channels.rmsNorm],
  [scale, channels.scale],
  [selfAttention, attention.selfAttention],
  [serial, combinators.serial],
  [sigmoid, channels.sigmoid],
  [silu, channels.silu],
  [similarityScale, towers.similarityScale],
  [skipTokens, tokens.skipTokens],
  [softmax, channels.softmax],
  [squeezeExcite, maps.squeezeExcite],
  [stages, combinators.stages],
  [stdConv2d, maps.stdConv2d],
  [subnetwork, combinators.subnetwork],
  [takeLargestToken, towers.takeLargestToken],
  [takeToken, tokens.takeToken],
  [tanh, channels.tanh],
  [tap, combinators.second],
  [tokenAttention, masking.tokenAttention],
  [tokenDropout, channels.nothing],
  [tokenScores, pruning.tokenScores],
  [tokensToMap, decoders.tokensToMap],
  [transformerBlock2d, blocks.transformerBlock2d],
  [transpose, tokens.transpose],
  [unfold, masking.unfold],
  [unmaskTokens, masking.unmaskTokens],
  [unnamed, combinators.unnamed],
  [upsample, decoders.upsample],
  [when, combinators.when],
  [windowAttention, attention.windowAttention],
  [windows, inWindows],
])
