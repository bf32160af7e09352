import { attention, packedAttention, packedAttentionGradient, tokenAttention } from './attention.js'
import { argsort, concat, gather, pad, scatterAdd, slice, tile, transpose } from './copy.js'
import { binary, unary } from './pointwise.js'
import { elementwise } from './elementwise.js'
import { geluGradient, groupNormGradient, layerNormGradient, softmaxGradient, weightGradient } from './gradients.js'
import { convolution, convolutionInputGradient, convolutionWeightGradient, depthwiseConvolution, depthwiseInputGradient, depthwiseWeightGradient, maxPoolGradient, packFilters, pool } from './images.js'
import type { Implementation } from './implementation.js'
import { linear, matMul, pack } from './product.js'
import { maxAxes, squareSum, sumAxes } from './reductions.js'
import { groupNorm, layerNorm, softmax } from './rows.js'

/** Every kernel of our own, by name. On a tfjs backend, `tf.engine().runKernel` finds it under it. */
export const implementations: Readonly<Record<string, Implementation>> = {
  VitrailPack: pack,
  VitrailLinear: linear,
  VitrailMatMul: matMul,
  VitrailLayerNorm: layerNorm,
  VitrailGroupNorm: groupNorm,
  VitrailUnary: unary,
  VitrailBinary: binary,
  VitrailSoftmax: softmax,
  VitrailAttention: attention,
  VitrailTokenAttention: tokenAttention,
  VitrailPackedAttention: packedAttention,
  VitrailPackedAttentionGradient: packedAttentionGradient,
  VitrailElementwise: elementwise,
  VitrailSlice: slice,
  VitrailTranspose: transpose,
  VitrailTile: tile,
  VitrailPad: pad,
  VitrailConcat: concat,
  VitrailGather: gather,
  VitrailScatterAdd: scatterAdd,
  VitrailArgsort: argsort,
  VitrailSum: sumAxes,
  VitrailMax: maxAxes,
  VitrailSquareSum: squareSum,
  VitrailPackFilters: packFilters,
  VitrailConvolution: convolution,
  VitrailDepthwise: depthwiseConvolution,
  VitrailPool: pool,
  VitrailGeluGradient: geluGradient,
  VitrailSoftmaxGradient: softmaxGradient,
  VitrailLayerNormGradient: layerNormGradient,
  VitrailGroupNormGradient: groupNormGradient,
  VitrailWeightGradient: weightGradient,
  VitrailConvolutionInputGradient: convolutionInputGradient,
  VitrailConvolutionWeightGradient: convolutionWeightGradient,
  VitrailDepthwiseInputGradient: depthwiseInputGradient,
  VitrailDepthwiseWeightGradient: depthwiseWeightGradient,
  VitrailMaxPoolGradient: maxPoolGradient,
}
