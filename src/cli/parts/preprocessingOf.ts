import type { Preprocessing } from '../../../recipes/index.js'

/** Pixels from −1 to 1, for a model that says nothing. */
const plain: Preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 1 }

/** How images are prepared: as the weight file's metadata say (`mean`, `std`), else the recipe, else to −1…1. */
export const preprocessingOf = (recipe: Preprocessing | undefined, metadata: Readonly<Record<string, string>>): Preprocessing => {
  const { mean, std, crop } = recipe ?? plain
  return { mean: numbers(metadata['mean']) ?? mean, std: numbers(metadata['std']) ?? std, crop }
}

/** `0.5`, `0.485, 0.456, 0.406` or the same in brackets; anything else says nothing. */
const numbers = (text: string | undefined): readonly number[] | undefined => {
  const list = text?.replace(/^\s*\[|\]\s*$/g, '').split(',').map(part => (part.trim() === '' ? NaN : Number(part)))
  return list !== undefined && (list.length === 1 || list.length === 3) && list.every(Number.isFinite) ? list : undefined
}
