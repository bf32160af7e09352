// A ViT of tfjs-layers' own layers where it has them: Conv2D, Dense, LayerNormalization, Activation, Add. It has none
// for class token and positions, and its MultiHeadAttention is made of einsum, for which wasm has no kernel: these two
// are layers of one's own, as its documentation says to write them.
import { plain } from './plain.mjs'

/** `tf`: tfjs-core; `layers`: tfjs-layers. `weights`: timm's names to `{ shape, values }`. Gives a function of images to logits. */
export const layersVit = (tf, layers, weights, { imageSize, patchSize, dim, depth, numHeads }) => {
  const value = name => tf.tensor(weights.get(name).values, weights.get(name).shape)
  const matrix = (name, perm = [1, 0]) => tf.tidy(() => tf.transpose(value(`${name}.weight`), perm))
  const vectors = name => [value(`${name}.weight`), value(`${name}.bias`)]

  class Tokens extends layers.layers.Layer {
    static className = 'Tokens'
    computeOutputShape([batch, patches, channels]) {
      return [batch, patches + 1, channels]
    }
    build() {
      this.token = this.addWeight('token', [1, 1, dim], 'float32', layers.initializers.zeros())
      this.positions = this.addWeight('positions', [1, (imageSize / patchSize) ** 2 + 1, dim], 'float32', layers.initializers.zeros())
      super.build()
    }
    call([x]) {
      return tf.tidy(() => tf.add(tf.concat([tf.tile(this.token.read(), [x.shape[0], 1, 1]), x], 1), this.positions.read()))
    }
  }
  class Attention extends layers.layers.Layer {
    static className = 'Attention'
    computeOutputShape([batch, tokens, channels]) {
      return [batch, tokens, channels / 3]
    }
    call([qkv]) {
      return tf.tidy(() => plain(tf).attention(qkv, numHeads))
    }
  }
  class First extends layers.layers.Layer {
    static className = 'First'
    computeOutputShape([batch, , channels]) {
      return [batch, channels]
    }
    call([x]) {
      return tf.tidy(() => tf.squeeze(tf.slice(x, [0, 0, 0], [-1, 1, -1]), [1]))
    }
  }

  const { conv2d, dense, layerNormalization, activation, add, reshape } = layers.layers
  const made = []
  const having = (layer, values) => {
    made.push([layer, values])
    return layer
  }
  const norm = name => having(layerNormalization({ axis: -1, epsilon: 1e-6 }), vectors(name))
  const linear = (name, units) => having(dense({ units }), [matrix(name), value(`${name}.bias`)])
  const input = layers.input({ shape: [imageSize, imageSize, 3] })
  const patches = having(conv2d({ filters: dim, kernelSize: patchSize, strides: patchSize }), [matrix('patch_embed.proj', [2, 3, 1, 0]), value('patch_embed.proj.bias')]).apply(input)
  let x = having(new Tokens(), [value('cls_token'), value('pos_embed')]).apply(reshape({ targetShape: [(imageSize / patchSize) ** 2, dim] }).apply(patches))
  for (let i = 0; i < depth; i++) {
    const at = `blocks.${i}`
    const mixed = linear(`${at}.attn.proj`, dim).apply(new Attention().apply(linear(`${at}.attn.qkv`, 3 * dim).apply(norm(`${at}.norm1`).apply(x))))
    x = add().apply([x, mixed])
    const wide = activation({ activation: 'gelu' }).apply(linear(`${at}.mlp.fc1`, 4 * dim).apply(norm(`${at}.norm2`).apply(x)))
    x = add().apply([x, linear(`${at}.mlp.fc2`, dim).apply(wide)])
  }
  const logits = linear('head', weights.get('head.bias').shape[0]).apply(new First().apply(norm('norm').apply(x)))
  const model = layers.model({ inputs: input, outputs: logits })
  for (const [layer, values] of made) layer.setWeights(values)
  return images => model.predict(images, { batchSize: images.shape[0] })
}
