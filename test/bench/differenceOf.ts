/**
 * The largest difference between two outputs, as a share of the largest number of the second; infinite where either holds
 * what is no finite number, or where they do not have the same length, or none at all.
 */
export const differenceOf = (values: ArrayLike<number>, from: ArrayLike<number>): number => {
  if (values.length !== from.length || from.length === 0) return Infinity
  let [difference, largest] = [0, 0]
  for (let i = 0; i < from.length; i++) {
    if (!Number.isFinite(values[i]) || !Number.isFinite(from[i])) return Infinity
    difference = Math.max(difference, Math.abs(from[i]! - values[i]!))
    largest = Math.max(largest, Math.abs(from[i]!))
  }
  return difference === 0 ? 0 : difference / largest
}
