/**
 * Partners as timm and LV-ViT choose them: each sample is mixed with the one at its place from the end.
 *
 * @example
 * reversed(3) // [2, 1, 0]
 */
export const reversed = (samples: number): readonly number[] => Array.from({ length: samples }, (_, i) => samples - 1 - i)
