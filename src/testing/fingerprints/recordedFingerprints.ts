import type { Fingerprint, LayerDigest } from './fingerprint.js'

/** `recipes/fingerprints.json`: recipes that are alike when small share what was recorded of that. */
export interface RecordedFingerprints {
  readonly recipes: Readonly<Record<string, Pick<Fingerprint, 'config' | 'tensors' | 'parameters' | 'names'> & { readonly small: string }>>
  readonly small: Readonly<Record<string, { readonly reduced: Readonly<Record<string, unknown>>; readonly output: readonly number[]; readonly layers: readonly LayerDigest[] }>>
}

/**
 * What was recorded of each published recipe, by id, out of the text of `recipes/fingerprints.json`.
 *
 * @example
 * recordedFingerprints('{ "recipes": {}, "small": {} }').size // 0
 */
export const recordedFingerprints = (text: string): ReadonlyMap<string, Fingerprint> => {
  const { recipes, small } = JSON.parse(text) as RecordedFingerprints
  return new Map(Object.entries(recipes).map(([id, { small: name, ...known }]) => [id, { ...known, ...small[name]! }]))
}
