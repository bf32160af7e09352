/**
 * A square image `[side, side, channels]` turned to the left by quarters, as `torch.rot90`.
 *
 * @example
 * turned(Float32Array.of(1, 2, 3, 4), 2, 1, 1) // Float32Array.of(2, 4, 1, 3)
 */
export const turned = (image: Float32Array, side: number, channels: number, quarters: number): Float32Array => {
  const from = [(row: number, column: number) => row * side + column, (row: number, column: number) => column * side + (side - 1 - row), (row: number, column: number) => (side - 1 - row) * side + (side - 1 - column), (row: number, column: number) => (side - 1 - column) * side + row][quarters % 4]!
  return image.map((_, i) => {
    const place = Math.floor(i / channels)
    return image[from(Math.floor(place / side), place % side) * channels + (i % channels)]!
  })
}
