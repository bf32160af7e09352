/** An image of bytes, `[height, width, channels]` row by row, with 1 channel (grey) or 3 (red, green, blue): what the operations of Pillow are defined on. */
export interface Picture {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly pixels: Uint8Array
}

/** How a place between pixels is read. */
export type Interpolation = 'nearest' | 'bilinear' | 'bicubic'
