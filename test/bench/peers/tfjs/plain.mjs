// How TensorFlow.js is mostly written: the formulas as they stand, attention in one 4-D product, all in one tidy.
export const plain = tf => ({
  linear: (x, [weight, bias]) => {
    const product = tf.matMul(x, weight)
    return bias === undefined ? product : tf.add(product, bias)
  },
  layerNorm: (x, [scale, shift], epsilon) => {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), scale), shift)
  },
  gelu: x => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  /** `qkv` is `[batch, tokens, 3·dim]`; `bias`, where there is one, is added to the scores. */
  attention: (qkv, numHeads, bias = scores => scores) => {
    const [batch, tokens, dim] = [qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3]
    const [q, k, v] = tf.unstack(tf.transpose(tf.reshape(qkv, [batch, tokens, 3, numHeads, dim / numHeads]), [2, 0, 3, 1, 4]))
    const scores = bias(tf.mul(tf.matMul(q, k, false, true), (dim / numHeads) ** -0.5))
    return tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), v), [0, 2, 1, 3]), [batch, tokens, dim])
  },
  block: inside => inside(),
})
