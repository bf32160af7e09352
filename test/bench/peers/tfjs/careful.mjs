// TensorFlow.js by someone who knows what its wasm backend is quick at: products in two dimensions and without a
// transpose, the one case that does not fall to a scalar loop; the bias within the product; what a block made freed
// behind it. Same arithmetic as `plain`.
export const careful = tf => ({
  linear: (x, [weight, bias]) => {
    const [rows, outputs] = [x.shape.slice(0, -1), weight.shape[1]]
    return tf.reshape(tf.fused.matMul({ a: tf.reshape(x, [-1, weight.shape[0]]), b: weight, ...(bias === undefined ? {} : { bias }) }), [...rows, outputs])
  },
  layerNorm: (x, [scale, shift], epsilon) => {
    const centred = tf.sub(x, tf.mean(x, -1, true))
    const variance = tf.mean(tf.square(centred), -1, true)
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), scale), shift)
  },
  gelu: x => tf.mul(x, tf.add(tf.mul(tf.erf(tf.mul(x, Math.SQRT1_2)), 0.5), 0.5)),
  /** `qkv` is `[batch, tokens, 3·dim]`; `bias`, where there is one, is added to the scores. */
  attention: (qkv, numHeads, bias = scores => scores) => {
    const [batch, tokens, dim] = [qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3]
    const [headDim, count] = [dim / numHeads, batch * numHeads]
    const [q, k, v] = tf.split(qkv, 3, -1).map(x => tf.reshape(x, [batch, tokens, numHeads, headDim]))
    const merged = attended => tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch, tokens, dim])
    const heads = x => tf.transpose(x, [0, 2, 1, 3])
    const queries = heads(tf.mul(q, headDim ** -0.5))
    const shares = scores => tf.softmax(bias(tf.reshape(scores, [batch, numHeads, tokens, tokens])))
    // A slice copies all that it is taken from: where heads are many and small, that costs more than the scalar loop.
    if (count * (3 * headDim + tokens) > 2.5 * tokens * headDim) return merged(tf.matMul(shares(tf.matMul(queries, heads(k), false, true)), heads(v)))
    const each = (x, shape) => tf.unstack(tf.reshape(x, [count, ...shape]))
    const [keys, values] = [each(tf.transpose(k, [0, 2, 3, 1]), [headDim, tokens]), each(heads(v), [tokens, headDim])]
    const scores = tf.stack(each(queries, [tokens, headDim]).map((one, i) => tf.matMul(one, keys[i])))
    return merged(tf.reshape(tf.stack(each(shares(scores), [tokens, tokens]).map((one, i) => tf.matMul(one, values[i]))), [batch, numHeads, tokens, headDim]))
  },
  block: inside => tf.tidy(inside),
})
