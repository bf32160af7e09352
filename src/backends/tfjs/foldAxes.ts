/**
 * Two shapes of one rank that broadcast, with neighbouring axes made one wherever both sides allow it: where
 * both have the axes, or the same side has neither.
 *
 * @example
 * foldAxes([2, 3, 4, 5], [1, 1, 4, 5]) // [[6, 20], [1, 20]]
 */
export const foldAxes = (a: readonly number[], b: readonly number[]): readonly [number[], number[]] => {
  const [left, right]: [number[], number[]] = [[], []]
  let last: string | undefined
  a.forEach((size, axis) => {
    const other = b[axis] as number
    if (size === 1 && other === 1) return
    // Which sides repeat themselves along this axis.
    const kind = `${size === 1}${other === 1}`
    if (kind === last) {
      left.push((left.pop() as number) * size)
      right.push((right.pop() as number) * other)
    } else {
      left.push(size)
      right.push(other)
    }
    last = kind
  })
  return [left, right]
}
