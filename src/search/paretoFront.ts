/** Something that was scored, and what it costs. */
export interface Point {
  readonly params: number
  readonly macs: number
  readonly score: number
}

/**
 * Of what was scored, that than which nothing is both as cheap and better, or cheaper and as good; the cheapest first
 * (Pareto, 1906). Of equal ones the first stands for all.
 *
 * @example
 * paretoFront([{ params: 1, macs: 5, score: 0.5 }, { params: 1, macs: 9, score: 0.9 }, { params: 1, macs: 9, score: 0.4 }], 'macs').map(p => p.score) // [0.5, 0.9]
 */
export const paretoFront = <T extends Point>(points: readonly T[], axis: 'params' | 'macs'): readonly T[] => {
  const cheapest = [...points].sort((a, b) => a[axis] - b[axis] || b.score - a.score)
  const front: T[] = []
  for (const point of cheapest) if (point.score > (front.at(-1)?.score ?? -Infinity)) front.push(point)
  return front
}
