/** A size of the signal that arrives: its last axis; the first of tokens×channels; the first two of an image; all but the last, multiplied. */
export type Axis = 'channels' | 'tokens' | 'height' | 'width' | 'places'

/** What an inner layer has to keep: nothing, the shape, the number of tokens (and give two channels: `pairs`), or it must give what the layer before it among the arguments gives. */
export type Keeps = 'nothing' | 'shape' | 'tokens' | 'pairs' | 'previous'

/**
 * What one argument or one option of a layer may be, as plain data. The layer itself never reads it: generators of
 * random architectures do, and the layer's own `check` then says which of what they drew fits.
 */
export type Choice =
  | { readonly kind: 'among'; readonly values: readonly unknown[] }
  | { readonly kind: 'size' }
  | { readonly kind: 'whole'; readonly from: number; readonly to: number }
  | { readonly kind: 'axis' | 'divisor' | 'below' | 'factors'; readonly of: Axis }
  | { readonly kind: 'either'; readonly choices: readonly Choice[] }
  | { readonly kind: 'pair'; readonly choices: readonly [Choice, Choice] }
  | { readonly kind: 'options'; readonly needed: Readonly<Record<string, Choice>>; readonly optional: Readonly<Record<string, Choice>> }
  | { readonly kind: 'shape' | 'name' | 'field' }
  | { readonly kind: 'layer'; readonly keeps: Keeps; readonly isNumbered: boolean }
  | { readonly kind: 'layers' }
  | { readonly kind: 'fields'; readonly of: 'record' | 'anything' }

/** The arguments of a constructor, in order; or several such lists, where it can be called in several ways. `layers` and `shape` stand for any number of arguments. */
export type Arguments = readonly Choice[] | { readonly ways: readonly (readonly Choice[])[] }

/**
 * The record that a layer takes, where it takes but one kind: the shape of each field, equal sizes by equal letters.
 * `{ x: ['n', 'c'], noise: ['n'] }`
 */
export type Takes = Readonly<Record<string, readonly string[] | { readonly integers: readonly string[] }>>

/** The words in which layers describe their arguments: `[choice.size, choice.options({}, { bias: choice.flag })]`. */
export const choice = {
  /** One of some values. */
  among: (...values: readonly unknown[]): Choice => ({ kind: 'among', values }),
  flag: { kind: 'among', values: [false, true] },
  /** A probability of dropping. */
  rate: { kind: 'among', values: [0, 0.1, 0.5] },
  /** What is added to a variance. */
  epsilon: { kind: 'among', values: [1e-6, 1e-5, 1e-3] },
  /** A number of channels, of the layer's own choosing. */
  size: { kind: 'size' },
  whole: (from: number, to: number): Choice => ({ kind: 'whole', from, to }),
  /** Exactly a size of the signal. */
  axis: (of: Axis): Choice => ({ kind: 'axis', of }),
  divisorOf: (of: Axis): Choice => ({ kind: 'divisor', of }),
  /** A whole number from 0, below a size of the signal. */
  below: (of: Axis): Choice => ({ kind: 'below', of }),
  /** Two numbers whose product is a size of the signal. */
  factorsOf: (of: Axis): Choice => ({ kind: 'factors', of }),
  either: (...choices: readonly Choice[]): Choice => ({ kind: 'either', choices }),
  pair: (first: Choice, second: Choice): Choice => ({ kind: 'pair', choices: [first, second] }),
  /** One number for height and width, or one for each. */
  oneOrTwo: (first: Choice, second: Choice = first): Choice => ({ kind: 'either', choices: [first, { kind: 'pair', choices: [first, second] }] }),
  padding: { kind: 'either', choices: [{ kind: 'whole', from: 0, to: 1 }, { kind: 'among', values: ['same'] }] },
  options: (needed: Readonly<Record<string, Choice>>, optional: Readonly<Record<string, Choice>> = {}): Choice => ({ kind: 'options', needed, optional }),
  /** The signal's own shape, a size an argument. */
  shape: { kind: 'shape' },
  /** A name that nothing else has. */
  name: { kind: 'name' },
  /** The name of a field of the record that arrives. */
  fieldName: { kind: 'field' },
  layer: (keeps: Keeps = 'nothing'): Choice => ({ kind: 'layer', keeps, isNumbered: false }),
  /** A layer, or a function from its number to it. */
  numberedLayer: (keeps: Keeps): Choice => ({ kind: 'layer', keeps, isNumbered: true }),
  /** One or more layers, each an argument, one after the other. */
  layers: { kind: 'layers' },
  /** Layers by name: for some fields of a record that arrives, or for fields of the layer's own choosing. */
  fields: (of: 'record' | 'anything'): Choice => ({ kind: 'fields', of }),
} as const satisfies Readonly<Record<string, Choice | ((...given: never[]) => Choice)>>
