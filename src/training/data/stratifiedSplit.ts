import { random } from '../random.js'

/** Both parts, each in rising order. */
export interface Split {
  readonly train: Uint32Array
  readonly validation: Uint32Array
}

/**
 * Parts the samples in two, of each class about `share` for validation, drawn by the seed. What one class's rounding
 * leaves over goes to the next, so that the whole is right to one sample; a class keeps at least one to train on.
 *
 * @example
 * stratifiedSplit(Int32Array.of(0, 0, 1, 1), 0.5, 7) // { train: Uint32Array.of(1, 3), validation: Uint32Array.of(0, 2) }
 */
export const stratifiedSplit = (labels: Int32Array, share: number, seed: number): Split => {
  const classes = new Map<number, number[]>()
  labels.forEach((label, i) => {
    const members = classes.get(label)
    if (members === undefined) classes.set(label, [i])
    else members.push(i)
  })
  const parts: { readonly train: number[]; readonly validation: number[] } = { train: [], validation: [] }
  let due = 0
  for (const [label, members] of [...classes].sort(([a], [b]) => a - b)) {
    due += members.length * share
    const taken = Math.min(members.length - 1, Math.max(0, Math.round(due - parts.validation.length)))
    random(seed, 'split', 0, label).permutation(members.length).forEach((member, i) => parts[i < taken ? 'validation' : 'train'].push(members[member]!))
  }
  return { train: Uint32Array.from(parts.train).sort(), validation: Uint32Array.from(parts.validation).sort() }
}
