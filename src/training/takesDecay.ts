import type { Shape } from '../shape/shape.js'

/**
 * Whether weight decay applies to a parameter, by the usual rule (timm, BEiT, MAE, Swin): not to tensors of one axis or
 * none, biases, norms, LayerScale, position embeddings and tables, and class, distillation, mask and register tokens.
 *
 * @param shape its shape, where it is known; a norm or a scale is also told by its name
 *
 * @example
 * takesDecay('blocks.0.mlp.fc1.weight', [768, 192]) // true
 * takesDecay('pos_embed', [1, 197, 192]) // false
 */
export const takesDecay = (name: string, shape?: Shape): boolean => (shape === undefined || shape.length > 1) && !exempt.test(name)

const exempt = new RegExp(
  [
    /(^|\.)((q|k|v|qkv|in_proj)_)?bias$/,
    /(^|\.)\w*norm\w*\.(\w+\.)?weight$/,
    /(^|\.)ln_\w+\.weight$/,
    /(^|\.)gamma(_\d+)?$/,
    /(^|\.)(absolute_pos_embed|pos_embed|positional_embedding|relative_position_bias_table|decoder_pos_embed)$/,
    /(^|\.)(cls_token|dist_token|mask_token|reg_token|class_embedding)$/,
  ]
    .map(({ source }) => source)
    .join('|'),
)
