/** Which layer each parameter belongs to, from 0 (embeddings) over 1…`depth` (blocks) to `depth + 1` (head). */
export interface LayerIndices {
  readonly depth: number
  readonly of: ReadonlyMap<string, number>
}

/**
 * Counts the layers of a model from the names of its parameters, in the order in which it uses them (as
 * `parametersOf` gives them). Patches, positions, tokens and stems are layer 0; blocks count on from 1, those of all
 * stages together; what lies between two blocks, such as a downsampling, belongs to the one before, and what follows
 * the last is layer `depth + 1`.
 *
 * The rule of BEiT and MAE (`param_groups_lrd`) for one stack of blocks and of SimMIM (`get_swin_layer`) for stages.
 *
 * @example
 * layerIndices(['patch_embed.proj.weight', 'layers.0.blocks.0.norm1.weight', 'layers.0.blocks.1.norm1.weight', 'head.weight']).depth // 2
 */
export const layerIndices = (names: readonly string[]): LayerIndices => {
  const blocks = new Map<string, number>()
  const blockNames = names.map(name => (isEmbedding(name) ? undefined : block.exec(name)?.[0]))
  for (const key of blockNames) if (key !== undefined && !blocks.has(key)) blocks.set(key, blocks.size + 1)
  const depth = blocks.size
  const last = blockNames.findLastIndex(key => key !== undefined)
  const of = new Map<string, number>()
  let current = 0
  names.forEach((name, i) => {
    const key = blockNames[i]
    if (key !== undefined) current = blocks.get(key)!
    of.set(name, isEmbedding(name) ? 0 : i > last ? depth + 1 : current)
  })
  return { depth, of }
}

/** Up to the number of the innermost list of blocks: `layers.1.blocks.0`. */
const block = /^(?:.*\.)?(?:res)?blocks\.\d+(?=\.)/
const isEmbedding = (name: string): boolean => /^(patch_embed|stem)\.|(^|\.)(cls_token|dist_token|mask_token|reg_token|pos_embed|absolute_pos_embed)$/.test(name)
