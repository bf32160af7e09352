/** A box of rows and columns; `bottom` and `right` are just outside. */
export interface Box {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

/** A map's size, in pixels or tokens. */
export interface MapSize {
  readonly height: number
  readonly width: number
}
