// A ViT as people write it by hand in TensorFlow.js: batched 4-D attention, LayerNorm from moments, GELU
// from erf, everything in one tidy. The yardstick of the benchmark; written for clarity, not for speed.
import * as tf from '@tensorflow/tfjs-core'

const linear = (x, w, b) => tf.add(tf.matMul(x, w), b)
const layerNorm = (x, g, b, eps = 1e-6) => {
  const { mean, variance } = tf.moments(x, -1, true)
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps))), g), b)
}
const gelu = x => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))

/** `weights`: timm's names to typed arrays, PyTorch's layout. Returns images [batch, size, size, 3] → logits. */
export const plainVit = (weights, shapes, { patchSize, dim, depth, numHeads }) => {
  const tensor = name => tf.tensor(weights.get(name), shapes.get(name))
  const matrix = name => tf.tidy(() => tf.transpose(tensor(name)))
  const vector = name => tensor(name)
  const filter = tf.tidy(() => tf.transpose(tensor('patch_embed.proj.weight'), [2, 3, 1, 0]))
  const filterBias = vector('patch_embed.proj.bias')
  const classToken = tensor('cls_token')
  const positions = tensor('pos_embed')
  const blocks = Array.from({ length: depth }, (_, i) => {
    const p = `blocks.${i}.`
    return Object.fromEntries(
      ['norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2'].map(n => [n, [n.startsWith('norm') ? vector(`${p}${n}.weight`) : matrix(`${p}${n}.weight`), vector(`${p}${n}.bias`)]]),
    )
  })
  const norm = [vector('norm.weight'), vector('norm.bias')]
  const head = [matrix('head.weight'), vector('head.bias')]
  const headDim = dim / numHeads
  return images =>
    tf.tidy(() => {
      const batch = images.shape[0]
      let x = tf.reshape(tf.add(tf.conv2d(images, filter, patchSize, 'valid'), filterBias), [batch, -1, dim])
      x = tf.add(tf.concat([tf.tile(classToken, [batch, 1, 1]), x], 1), positions)
      const tokens = x.shape[1]
      for (const b of blocks) {
        const qkv = tf.transpose(tf.reshape(linear(layerNorm(x, ...b.norm1), ...b['attn.qkv']), [batch, tokens, 3, numHeads, headDim]), [2, 0, 3, 1, 4])
        const [q, k, v] = tf.unstack(qkv)
        const attention = tf.softmax(tf.mul(tf.matMul(q, k, false, true), headDim ** -0.5))
        const attended = tf.reshape(tf.transpose(tf.matMul(attention, v), [0, 2, 1, 3]), [batch, tokens, dim])
        x = tf.add(x, linear(attended, ...b['attn.proj']))
        x = tf.add(x, linear(gelu(linear(layerNorm(x, ...b.norm2), ...b['mlp.fc1'])), ...b['mlp.fc2']))
      }
      return linear(tf.squeeze(tf.slice(layerNorm(x, ...norm), [0, 0, 0], [-1, 1, -1]), [1]), ...head)
    })
}
