/** A parameter that is in both, in two shapes. */
export interface Misshape {
  readonly name: string
  readonly expected: readonly number[]
  readonly actual: readonly number[]
}

/** All the ways in which a checkpoint does not fit a model. */
export interface Misfit {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly misshaped: readonly Misshape[]
}

const positionNames = /(^|\.)(absolute_)?pos(ition|itional)?_embed(ding)?(_vis)?(\.weight)?$|relative_position_bias_table$/
const headNames = /(^|\.)(head|heads|head_dist|fc|classifier|aux_head)(\.|$)/

/**
 * A way out of a {@link Misfit}, where its pattern suggests one: a wrapper's prefix on every name, another number of
 * classes, another image size, a checkpoint with more in it than the model has.
 *
 * @example
 * misfitRemedy({ missing: [], unexpected: [], misshaped: [] }) // undefined
 */
export const misfitRemedy = ({ missing, unexpected, misshaped }: Misfit): string | undefined => {
  const prefix = commonPrefix(missing, unexpected)
  if (prefix !== undefined) return prefix

  const positions = misshaped.filter(({ name }) => positionNames.test(name))
  const heads = misshaped.filter(({ name }) => headNames.test(name))
  const explained = positions.length + heads.length === misshaped.length
  const headsMissing = missing.length > 0 && missing.every((name) => headNames.test(name))
  const headsOver = unexpected.length > 0 && unexpected.every((name) => headNames.test(name))
  if (misshaped.length > 0 && explained && missing.length === 0 && unexpected.length === 0) {
    return [...positions.slice(0, 1).map(positionRemedy), ...heads.slice(0, 1).map(headRemedy)].join('; ')
  }
  if (misshaped.length > 0) return undefined
  if (headsMissing && unexpected.length === 0) {
    return 'only the head is missing: this is a checkpoint without a classifier; ignore the head\'s names and train it'
  }
  if (headsOver && missing.length === 0) return 'only a head is left over: ignore its names to load the features alone'
  if (missing.length === 0 && unexpected.length > 0) {
    return 'the model is complete without the unexpected names: ignore them to load the rest'
  }
  return undefined
}

const positionRemedy = ({ name, expected, actual }: Misshape): string => {
  const grids = [actual, expected].map((shape) => gridOf(shape))
  const made = grids[0] === undefined ? '' : ` (${grids[0]}, the model has ${grids[1] ?? expected.join('×')})`
  return `${name} was made for another image size${made}: resize it with resizePositions, or build the model at the ` +
    'image size the checkpoint was trained at'
}

/** `14×14 grid and 1 prefix token`, where the number of tokens is a square and at most two. */
const gridOf = (shape: readonly number[]): string | undefined => {
  const tokens = shape.at(-2) ?? 0
  const prefix = [0, 1, 2].find((count) => tokens > count && Number.isInteger(Math.sqrt(tokens - count)))
  if (prefix === undefined) return undefined
  const side = Math.sqrt(tokens - prefix)
  return `a ${side}×${side} grid` + (prefix === 0 ? '' : ` and ${prefix} prefix token${prefix === 1 ? '' : 's'}`)
}

const headRemedy = ({ name, expected, actual }: Misshape): string =>
  actual.slice(1).join() === expected.slice(1).join()
    ? `${name} was trained for ${actual[0]} classes, the model has ${expected[0]}: build it with numClasses: ` +
      `${actual[0]} and replace the head afterwards, or ignore the head's names and train it`
    : `${name} was trained for another head: ignore the head's names and train it`

/** `module.` and `model.` come from wrappers such as PyTorch's DataParallel. */
const commonPrefix = (missing: readonly string[], unexpected: readonly string[]): string | undefined => {
  const [first] = missing
  if (first === undefined) return undefined
  const there = new Set(unexpected)
  const long = unexpected.find((name) => name.endsWith(`.${first}`))
  if (long !== undefined) {
    const prefix = long.slice(0, -first.length)
    if (missing.every((name) => there.has(prefix + name))) {
      return `the names in the checkpoint begin with "${prefix}": strip it`
    }
  }
  const here = new Set(missing)
  const over = unexpected[0] === undefined ? undefined : missing.find((name) => name.endsWith(`.${unexpected[0]}`))
  if (over === undefined || unexpected[0] === undefined) return undefined
  const prefix = over.slice(0, -unexpected[0].length)
  return unexpected.every((name) => here.has(prefix + name))
    ? `the names in the checkpoint lack the prefix "${prefix}": add it`
    : undefined
}
