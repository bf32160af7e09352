/**
 * Whether this machine keeps the low byte first, as nearly all do: then the elements of a typed array are already as
 * a safetensors file has them.
 *
 * @example
 * typeof isLittleEndian // 'boolean'
 */
export const isLittleEndian: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1
