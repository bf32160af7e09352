import type { AnyModel } from '../layers/core/model.js'
import type { Random } from '../training/random.js'
import type { AnyPicked, Choices, Each, Picked, Space, Value } from './space.js'

/** Options of {@link defineSpace}. */
export interface SpaceOptions {
  /** The model that all others are parts of, their weights being the first rows and columns of its own (see `subnetwork`). */
  readonly whole?: AnyModel
}

/**
 * A space of models: what there is to choose, by name, and the model of a choice. `{ dim: [192, 216, 240] }` is one of
 * three; `{ numHeads: { each: [3, 4], times: 'depth' } }` is a list as long as the choice called `depth` says. What is
 * picked has the types of its values, so that `model` is checked like any other function.
 *
 * A value to choose from that makes no model (heads that do not split the channels) may stand in it: a search passes it
 * over. Nothing is built or run here; `search` says `badSpace` of lists that are empty, and of `times` that names no
 * choice of whole numbers.
 *
 * @example
 * defineSpace({ dim: [32, 48], depth: [1, 2], mlpRatio: { each: [1, 2], times: 'depth' } }, ({ dim }) => pipe(input(dim), linear(10))).count // 12
 */
export const defineSpace = <const C extends Choices, M = AnyModel>(choices: C, model: (picked: Picked<C>) => M, options: SpaceOptions = {}): Space<Picked<C>, M> => {
  // What has a length of its own is drawn after the choice that says how long.
  const names = Object.keys(choices).sort((a, b) => Number(isEach(choices[a]!)) - Number(isEach(choices[b]!)))
  const picking = (pick: (name: string, place: number, values: readonly Value[]) => Value): Picked<C> => {
    const picked: Record<string, Value | readonly Value[]> = {}
    for (const name of names) {
      const choice = choices[name]!
      picked[name] = isEach(choice) ? Array.from({ length: Number(picked[choice.times] ?? 0) }, (_, place) => pick(name, place, choice.each)) : pick(name, 0, choice)
    }
    return Object.freeze(Object.fromEntries(Object.keys(choices).map(name => [name, picked[name]!]))) as Picked<C>
  }
  const draw = (values: readonly Value[], random: Random): Value => values[random.below(values.length)]!
  return Object.freeze({
    choices,
    model,
    ...(options.whole === undefined ? {} : { whole: options.whole }),
    count: countOf(choices),
    keyOf: picked => JSON.stringify(picked),
    sample: random => picking((_name, _place, values) => draw(values, random)),
    mutate: (picked, random, rate) => picking((name, place, values) => (random.uniform() < rate ? draw(values, random) : (at(picked as AnyPicked, name, place) ?? draw(values, random)))),
    cross: (a, b, random) =>
      picking((name, place, values) => {
        const [first, second] = (random.below(2) === 0 ? [a, b] : [b, a]) as readonly [AnyPicked, AnyPicked]
        return at(first, name, place) ?? at(second, name, place) ?? draw(values, random)
      }),
    largest: picking((_name, _place, values) => values.reduce((most, value) => (value > most ? value : most), values[0]!)),
  } satisfies Space<Picked<C>, M>)
}

const isEach = (choice: readonly Value[] | Each): choice is Each => !Array.isArray(choice)

/** What was picked at a place of a choice, if it is that long. */
const at = (picked: AnyPicked, name: string, place: number): Value | undefined => {
  const value = picked[name]
  return typeof value === 'object' ? value[place] : value
}

/** The number of choices: lists count once for each length they may have. */
const countOf = (choices: Choices): number => {
  const lists = Object.values(choices).filter(isEach)
  const lengths = [...new Set(lists.map(({ times }) => times))]
  const others = Object.entries(choices).filter(([name, choice]) => !isEach(choice) && !lengths.includes(name)).reduce((product, [, choice]) => product * (choice as readonly Value[]).length, 1)
  return lengths.reduce((product, times) => {
    const said = choices[times]
    const values = said === undefined || isEach(said) ? [] : said
    const of = lists.filter(list => list.times === times)
    return product * values.reduce<number>((sum, length) => sum + of.reduce((n, { each }) => n * each.length ** Number(length), 1), 0)
  }, others)
}
