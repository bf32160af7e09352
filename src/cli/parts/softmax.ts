/** Scores as probabilities. */
export const softmax = (scores: ArrayLike<number>): readonly number[] => {
  const list = Array.from(scores)
  const highest = Math.max(...list)
  const powers = list.map(score => Math.exp(score - highest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map(power => power / sum)
}
