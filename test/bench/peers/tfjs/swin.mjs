// A Swin by hand in TensorFlow.js, in a style (plain or careful) that says how its parts are computed.
import { parametersFor } from './vit.mjs'

const epsilon = 1e-5

/** For each pair of places of a window, the row of the table of biases: by how far they are apart. */
const offsetsOf = window => {
  const index = new Int32Array(window ** 4)
  for (let a = 0; a < window ** 2; a++)
    for (let b = 0; b < window ** 2; b++) {
      const [rows, columns] = [Math.floor(a / window) - Math.floor(b / window), (a % window) - (b % window)]
      index[a * window ** 2 + b] = (rows + window - 1) * (2 * window - 1) + columns + window - 1
    }
  return index
}

/** `[windows, 1, places, places]`: -100 where two places of a shifted window were not neighbours before the shift. */
const maskOf = (tf, size, window, shift) => {
  const region = at => (at < size - window ? 0 : at < size - shift ? 1 : 2)
  const across = size / window
  const mask = new Float32Array(across ** 2 * window ** 4)
  const regionOf = (w, place) => 3 * region(Math.floor(w / across) * window + Math.floor(place / window)) + region((w % across) * window + (place % window))
  for (let w = 0; w < across ** 2; w++)
    for (let a = 0; a < window ** 2; a++)
      for (let b = 0; b < window ** 2; b++) if (regionOf(w, a) !== regionOf(w, b)) mask[(w * window ** 2 + a) * window ** 2 + b] = -100
  return tf.tensor(mask, [across ** 2, 1, window ** 2, window ** 2])
}

/** `weights`: timm's names to `{ shape, values }`. Gives a function of images `[batch, size, size, 3]` to logits. */
export const swin = (tf, style, weights, { imageSize, patchSize, depths, numHeads, windowSize: window }) => {
  const p = parametersFor(tf, weights)
  const [filter, filterBias] = p.conv('patch_embed.proj')
  const patchNorm = p.norm('patch_embed.norm')
  const index = tf.tensor1d(offsetsOf(window), 'int32')
  const biasOf = name => tf.tidy(() => tf.expandDims(tf.transpose(tf.reshape(tf.gather(p.tensor(name), index), [window ** 2, window ** 2, -1]), [2, 0, 1]), 0))
  const stages = depths.map((depth, s) => {
    const size = imageSize / patchSize / 2 ** s
    const mask = size > window ? maskOf(tf, size, window, window >> 1) : undefined
    const merge = s === 0 ? undefined : { norm: p.norm(`layers.${s}.downsample.norm`), reduction: p.linear(`layers.${s}.downsample.reduction`) }
    const blocks = Array.from({ length: depth }, (_, i) => {
      const at = `layers.${s}.blocks.${i}`
      return {
        size, numHeads: numHeads[s], mask: i % 2 === 1 ? mask : undefined, bias: biasOf(`${at}.attn.relative_position_bias_table`),
        norm1: p.norm(`${at}.norm1`), qkv: p.linear(`${at}.attn.qkv`), proj: p.linear(`${at}.attn.proj`), norm2: p.norm(`${at}.norm2`), fc1: p.linear(`${at}.mlp.fc1`), fc2: p.linear(`${at}.mlp.fc2`),
      }
    })
    return { size, merge, blocks }
  })
  const [norm, head] = [p.norm('norm'), p.linear('head.fc')]
  const { linear, layerNorm, gelu, attention, block } = style(tf)
  const roll = (x, axis, by) => {
    const [first, rest] = tf.split(x, [by, x.shape[axis] - by], axis)
    return tf.concat([rest, first], axis)
  }
  const rolled = (x, by) => roll(roll(x, 1, by), 2, by)
  const attended = (x, b) => {
    const [batch, size, , dim] = x.shape
    const across = size / window
    const shift = b.mask === undefined ? 0 : window >> 1
    const inWindows = tf.transpose(tf.reshape(shift === 0 ? x : rolled(x, shift), [batch, across, window, across, window, dim]), [0, 1, 3, 2, 4, 5])
    const biased = scores => {
      const sum = tf.add(scores, b.bias)
      if (b.mask === undefined) return sum
      return tf.reshape(tf.add(tf.reshape(sum, [batch, across ** 2, b.numHeads, window ** 2, window ** 2]), b.mask), sum.shape)
    }
    const y = linear(attention(linear(tf.reshape(inWindows, [batch * across ** 2, window ** 2, dim]), b.qkv), b.numHeads, biased), b.proj)
    const whole = tf.reshape(tf.transpose(tf.reshape(y, [batch, across, across, window, window, dim]), [0, 1, 3, 2, 4, 5]), x.shape)
    return shift === 0 ? whole : rolled(whole, size - shift)
  }
  const merged = (x, { norm: scale, reduction }) => {
    const [batch, size, , dim] = x.shape
    const fours = tf.reshape(tf.transpose(tf.reshape(x, [batch, size / 2, 2, size / 2, 2, dim]), [0, 1, 3, 4, 2, 5]), [batch, size / 2, size / 2, 4 * dim])
    return linear(layerNorm(fours, scale, epsilon), reduction)
  }
  return images =>
    tf.tidy(() => {
      let x = layerNorm(tf.add(tf.conv2d(images, filter, patchSize, 'valid'), filterBias), patchNorm, epsilon)
      for (const { merge, blocks } of stages) {
        if (merge !== undefined) x = merged(x, merge)
        for (const b of blocks)
          x = block(() => {
            const mixed = tf.add(x, attended(layerNorm(x, b.norm1, epsilon), b))
            return tf.add(mixed, linear(gelu(linear(layerNorm(mixed, b.norm2, epsilon), b.fc1)), b.fc2))
          })
      }
      return linear(tf.mean(layerNorm(x, norm, epsilon), [1, 2]), head)
    })
}
