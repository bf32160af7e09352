/**
 * Thrown by an op constructor that is given shapes it cannot take. A layer's preconditions should have
 * refused them first, so it means a fault in a layer; tracing turns it into a `Left` with the layer's path.
 */
export class OpError extends Error {
  override readonly name = 'OpError'
}
