import type { Signal } from '../ops/tensor.js'

/** A signal, or how to make one that few ask for. */
export type Later = Signal | (() => Signal)

/** The signal, made if it is not there yet. */
export const signalOf = (later: Later): Signal => (typeof later === 'function' ? later() : later)

/** What makes a signal at the first call, and gives the same one at others. */
export const once = (make: () => Signal): (() => Signal) => {
  let made: Signal | undefined
  return () => (made ??= make())
}

/** Signals by name, each there when somebody asks for it: most of them nobody does. */
export class NamedSignals implements ReadonlyMap<string, Signal> {
  constructor(private readonly named: ReadonlyMap<string, Later>) {}

  get size(): number {
    return this.named.size
  }

  has(name: string): boolean {
    return this.named.has(name)
  }

  get(name: string): Signal | undefined {
    const later = this.named.get(name)
    return later === undefined ? undefined : signalOf(later)
  }

  keys(): MapIterator<string> {
    return this.named.keys()
  }

  *entries(): Generator<[string, Signal], undefined> {
    for (const [name, later] of this.named) yield [name, signalOf(later)]
  }

  *values(): Generator<Signal, undefined> {
    for (const later of this.named.values()) yield signalOf(later)
  }

  [Symbol.iterator](): Generator<[string, Signal], undefined> {
    return this.entries()
  }

  forEach(visit: (signal: Signal, name: string, all: ReadonlyMap<string, Signal>) => void): void {
    for (const [name, signal] of this) visit(signal, name, this)
  }
}
