/** An image in memory: `[height, width, channels]`, row by row. Bytes run from 0 to 255, floats from 0 to 1. */
export interface Image {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly pixels: Uint8Array | Float32Array
}

/** An image with what it shows: a class by its number, and a name to speak of it by. */
export interface Sample extends Image {
  readonly label: number
  readonly name: string
}

/** A sample that may still be a file to read, or the bytes of one: what it costs to decode it is paid in a worker. */
export interface Item {
  readonly label: number
  readonly name: string
  readonly image: Image | { readonly file: string } | { readonly bytes: Uint8Array }
}

/** What was left out, and why. */
export interface Skipped {
  readonly name: string
  readonly reason: string
}
