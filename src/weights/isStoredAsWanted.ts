import { isLittleEndian } from './isLittleEndian.js'
import type { StoredDtype } from './storedDtype.js'

/**
 * Whether the bytes of elements are already those of the array they are read into: floats and integers of 32 bits, on a
 * machine that is little-endian (`isLikeTheFile`) as the file is.
 *
 * @example
 * isStoredAsWanted('BF16') // false
 */
export const isStoredAsWanted = (dtype: StoredDtype, isLikeTheFile = isLittleEndian): boolean => isLikeTheFile && (dtype === 'F32' || dtype === 'I32')
