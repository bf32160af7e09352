// Training a ViT as people write it by hand in TensorFlow.js: variables, a forward pass of ordinary ops, tf.train.adam.
// The yardstick of the benchmark; written for clarity, not for speed. The one concession: patches are cut out by reshapes,
// because tfjs's wasm backend has no gradient of a convolution's filter.
import * as tf from '@tensorflow/tfjs-core'

const layerNorm = (x, g, b, eps = 1e-6) => {
  const { mean, variance } = tf.moments(x, -1, true)
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, eps))), g), b)
}
const gelu = x => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))

/** `weights`: timm's names to typed arrays in PyTorch's layout, of `shapes`. Returns a step: images and class numbers → the loss before it. */
export const plainTraining = (weights, shapes, { imageSize, patchSize, channels, dim, depth, numHeads, numClasses }, rate) => {
  const variables = Object.fromEntries([...weights].map(([name, values]) => [name, tf.tidy(() => {
    const given = tf.tensor(values, shapes.get(name))
    // Matrices as tfjs multiplies them, the filter as a matrix on patches whose channels are last.
    if (name === 'patch_embed.proj.weight') return tf.variable(tf.reshape(tf.transpose(given, [2, 3, 1, 0]), [patchSize * patchSize * channels, dim]))
    return tf.variable(given.shape.length === 2 ? tf.transpose(given) : given)
  })]))
  const optimiser = tf.train.adam(rate)
  const grid = imageSize / patchSize
  const headDim = dim / numHeads
  // A product of three axes by two has a gradient that throws.
  const linear = (x, name) => {
    const w = variables[`${name}.weight`]
    return tf.reshape(tf.add(tf.matMul(tf.reshape(x, [-1, w.shape[0]]), w), variables[`${name}.bias`]), [...x.shape.slice(0, -1), w.shape[1]])
  }
  const norm = (x, name) => layerNorm(x, variables[`${name}.weight`], variables[`${name}.bias`])
  const forward = images => {
    const batch = images.shape[0]
    const patches = tf.reshape(tf.transpose(tf.reshape(images, [batch, grid, patchSize, grid, patchSize, channels]), [0, 1, 3, 2, 4, 5]), [batch, grid * grid, -1])
    let x = tf.add(tf.concat([tf.tile(variables.cls_token, [batch, 1, 1]), linear(patches, 'patch_embed.proj')], 1), variables.pos_embed)
    const tokens = x.shape[1]
    for (let i = 0; i < depth; i++) {
      const p = `blocks.${i}`
      const qkv = tf.transpose(tf.reshape(linear(norm(x, `${p}.norm1`), `${p}.attn.qkv`), [batch, tokens, 3, numHeads, headDim]), [2, 0, 3, 1, 4])
      const [q, k, v] = tf.unstack(qkv)
      const attention = tf.softmax(tf.mul(tf.matMul(q, k, false, true), headDim ** -0.5))
      x = tf.add(x, linear(tf.reshape(tf.transpose(tf.matMul(attention, v), [0, 2, 1, 3]), [batch, tokens, dim]), `${p}.attn.proj`))
      x = tf.add(x, linear(gelu(linear(norm(x, `${p}.norm2`), `${p}.mlp.fc1`)), `${p}.mlp.fc2`))
    }
    return linear(tf.squeeze(tf.slice(norm(x, 'norm'), [0, 0, 0], [-1, 1, -1]), [1]), 'head')
  }
  return async (pixels, labels) => {
    const batch = labels.length
    const [x, y] = tf.tidy(() => [tf.tensor(pixels, [batch, imageSize, imageSize, channels]), tf.oneHot(tf.tensor1d(labels, 'int32'), numClasses)])
    const loss = optimiser.minimize(() => tf.losses.softmaxCrossEntropy(y, forward(x)), true)
    const [value] = await loss.data()
    tf.dispose([x, y, loss])
    return value
  }
}
