/** How a dtype of the safetensors format is laid out, and what reading it gives. */
export interface StoredDtypeFacts {
  /** Bits an element takes; below 8 for the packed dtypes. */
  readonly bits: number
  /** `Float32Array`, `Int32Array`, or nothing: a known dtype whose values have no place in a model here. */
  readonly reads: 'float' | 'integer' | 'nothing'
}

/**
 * The dtypes of the format (safetensors 0.8, enum `Dtype`). A file that holds one we do not read still opens, and
 * only reading that tensor is a Problem.
 *
 * @example
 * storedDtypes.BF16.bits // 16
 */
export const storedDtypes = {
  BOOL: { bits: 8, reads: 'integer' },
  F4: { bits: 4, reads: 'nothing' },
  F6_E2M3: { bits: 6, reads: 'nothing' },
  F6_E3M2: { bits: 6, reads: 'nothing' },
  U8: { bits: 8, reads: 'integer' },
  I8: { bits: 8, reads: 'integer' },
  F8_E5M2: { bits: 8, reads: 'nothing' },
  F8_E4M3: { bits: 8, reads: 'nothing' },
  F8_E8M0: { bits: 8, reads: 'nothing' },
  F8_E4M3FNUZ: { bits: 8, reads: 'nothing' },
  F8_E5M2FNUZ: { bits: 8, reads: 'nothing' },
  I16: { bits: 16, reads: 'integer' },
  U16: { bits: 16, reads: 'integer' },
  F16: { bits: 16, reads: 'float' },
  BF16: { bits: 16, reads: 'float' },
  I32: { bits: 32, reads: 'integer' },
  U32: { bits: 32, reads: 'integer' },
  F32: { bits: 32, reads: 'float' },
  C64: { bits: 64, reads: 'nothing' },
  F64: { bits: 64, reads: 'float' },
  I64: { bits: 64, reads: 'integer' },
  U64: { bits: 64, reads: 'integer' },
} as const satisfies Readonly<Record<string, StoredDtypeFacts>>

/** The name of a dtype of the format: `F32`, `BF16`, `I64`. */
export type StoredDtype = keyof typeof storedDtypes

/**
 * Whether a text names a dtype of the format. `hasOwn`, so that `constructor` does not.
 *
 * @example
 * isStoredDtype('F32') // true
 */
export const isStoredDtype = (text: string): text is StoredDtype => Object.hasOwn(storedDtypes, text)
