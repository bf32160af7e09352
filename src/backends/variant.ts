/// <reference lib="esnext.disposable" preserve="true" />
import type { Runnable } from './runnable.js'

/** Another routine over the parameters of a session, made when it was needed; see `session.variant`. */
export class Variant implements Disposable {
  constructor(readonly runnable: Runnable, private readonly free: () => void) {}

  /** Frees what it holds beside the parameters, once the runs already asked for have ended; it cannot be run again. */
  dispose(): void {
    this.free()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}
