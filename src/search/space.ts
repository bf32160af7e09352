import type { AnyModel } from '../layers/core/model.js'
import type { Random } from '../training/random.js'

/** What can be chosen: a word, a number, yes or no. */
export type Value = string | number | boolean

/** A list of values, as long as another choice says: the heads of each block, say. */
export interface Each<V extends Value = Value> {
  readonly each: readonly V[]
  /** The choice that says how many. */
  readonly times: string
}

/** What there is to choose, by name: one of some values, or a list of them. */
export type Choices = Readonly<Record<string, readonly Value[] | Each>>

/** One of everything. */
export type Picked<C extends Choices> = { readonly [K in keyof C]: C[K] extends Each<infer V> ? readonly V[] : C[K] extends readonly (infer V)[] ? V : never }

/** What has been picked, where nothing more is known. */
export type AnyPicked = Readonly<Record<string, Value | readonly Value[]>>

/** Models to choose from: names, values, and the model that each choice means. See `defineSpace`. */
export interface Space<P = AnyPicked, M = AnyModel> {
  readonly choices: Choices
  /** The model of a choice, on its own. */
  readonly model: (picked: P) => M
  /** The model that all of them are parts of, where there is one: what a one-shot search trains. */
  readonly whole?: AnyModel
  /** How many choices there are; at most 2⁵³, beyond which it is an estimate. */
  readonly count: number
  /** A name for a choice, the same for equal ones. */
  readonly keyOf: (picked: P) => string
  /** Any choice, each value as likely. */
  readonly sample: (random: Random) => P
  /** A choice like another; each value is drawn again with probability `rate`. A list that becomes longer is drawn on. */
  readonly mutate: (picked: P, random: Random, rate: number) => P
  /** A choice of which each value comes from one of two others; a list takes each place from one that has it. */
  readonly cross: (a: P, b: P, random: Random) => P
  /** The choice of the largest of all numbers. */
  readonly largest: P
}
