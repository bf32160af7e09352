export interface Crew {
  readonly size: number
  readonly run: (kernel: number, units: number, nanoseconds: number, operands: readonly number[], scratch: number, bytesPerThread: number) => boolean
}
