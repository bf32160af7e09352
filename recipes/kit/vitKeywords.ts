import type { Pair } from '../../src/shape/patches.js'
import { keyword, type Keyword } from './referenceConfig.js'

/** The keywords that say what an image model takes and gives. */
export const imageKeywords: Readonly<Record<'img_size' | 'in_chans' | 'num_classes', Keyword>> = {
  img_size: keyword('pair', (imageSize: Pair) => ({ imageSize })),
  in_chans: keyword('number', (channels: number) => ({ channels })),
  num_classes: keyword('number', (numClasses: number) => ({ numClasses })),
}

/** The keywords of timm's `VisionTransformer` that those written after it have too. */
export const vitKeywords: Readonly<Record<keyof typeof imageKeywords | 'patch_size' | 'embed_dim' | 'depth' | 'num_heads' | 'mlp_ratio' | 'qkv_bias' | 'norm_eps', Keyword>> = {
  ...imageKeywords,
  patch_size: keyword('pair', (patchSize: Pair) => ({ patchSize })),
  embed_dim: keyword('number', (dim: number) => ({ dim })),
  depth: keyword('number', (depth: number) => ({ depth })),
  num_heads: keyword('number', (numHeads: number) => ({ numHeads })),
  mlp_ratio: keyword('number', (mlpRatio: number) => ({ mlpRatio })),
  qkv_bias: keyword('boolean', (qkvBias: boolean) => ({ qkvBias })),
  norm_eps: keyword('number', (epsilon: number) => ({ epsilon })),
}

/** The scale of attention in code older than that: 0 means that it was not given (`qk_scale or head_dim ** -0.5`). */
export const scaleKeyword: Readonly<Record<'qk_scale', Keyword>> = { qk_scale: keyword('number', (attentionScale: number) => (attentionScale === 0 ? {} : { attentionScale })) }
