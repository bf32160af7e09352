// A ViT by hand in TensorFlow.js, in a style (plain or careful) that says how its parts are computed.

/** The parameters of a checkpoint in PyTorch's layout as TensorFlow.js wants them. */
export const parametersFor = (tf, weights) => {
  const tensor = name => tf.tensor(weights.get(name).values, weights.get(name).shape)
  const vectors = (...names) => names.filter(name => weights.has(name)).map(tensor)
  return {
    tensor,
    norm: name => vectors(`${name}.weight`, `${name}.bias`),
    linear: name => [tf.tidy(() => tf.transpose(tensor(`${name}.weight`))), ...vectors(`${name}.bias`)],
    conv: name => [tf.tidy(() => tf.transpose(tensor(`${name}.weight`), [2, 3, 1, 0])), tensor(`${name}.bias`)],
  }
}

/**
 * `weights`: timm's names to `{ shape, values }`. Gives a function of images `[batch, size, size, 3]` to logits.
 */
export const vit = (tf, style, weights, { patchSize, dim, depth, numHeads }) => {
  const p = parametersFor(tf, weights)
  const [filter, filterBias] = p.conv('patch_embed.proj')
  const [classToken, positions] = [p.tensor('cls_token'), p.tensor('pos_embed')]
  const blocks = Array.from({ length: depth }, (_, i) => ({
    norm1: p.norm(`blocks.${i}.norm1`), qkv: p.linear(`blocks.${i}.attn.qkv`), proj: p.linear(`blocks.${i}.attn.proj`),
    norm2: p.norm(`blocks.${i}.norm2`), fc1: p.linear(`blocks.${i}.mlp.fc1`), fc2: p.linear(`blocks.${i}.mlp.fc2`),
  }))
  const [norm, head] = [p.norm('norm'), p.linear('head')]
  const { linear, layerNorm, gelu, attention, block } = style(tf)
  return images =>
    tf.tidy(() => {
      const batch = images.shape[0]
      const patches = tf.reshape(tf.add(tf.conv2d(images, filter, patchSize, 'valid'), filterBias), [batch, -1, dim])
      let x = tf.add(tf.concat([tf.tile(classToken, [batch, 1, 1]), patches], 1), positions)
      for (const b of blocks)
        x = block(() => {
          const mixed = tf.add(x, linear(attention(linear(layerNorm(x, b.norm1, 1e-6), b.qkv), numHeads), b.proj))
          return tf.add(mixed, linear(gelu(linear(layerNorm(mixed, b.norm2, 1e-6), b.fc1)), b.fc2))
        })
      return linear(tf.squeeze(tf.slice(layerNorm(x, norm, 1e-6), [0, 0, 0], [-1, 1, -1]), [1]), head)
    })
}
