/** How a model did on some samples. */
export interface Evaluation {
  readonly samples: number
  /** The mean cross-entropy. */
  readonly loss: number
  /** The share whose class got the largest number. */
  readonly accuracy: number
  /** The share whose class is among the five largest. */
  readonly top5: number
  /** How often each class, row by row, was taken for each class: `[classes, classes]`. */
  readonly confusion: Int32Array
}

/** Counts of one evaluation, batch by batch. It lives and dies inside one. */
export class Tally {
  private samples = 0
  private loss = 0
  private top5 = 0
  private readonly confusion: Int32Array

  constructor(private readonly numClasses: number) {
    this.confusion = new Int32Array(numClasses * numClasses)
  }

  /** @param loss the mean over the batch */
  add(logits: Float32Array, labels: Int32Array, loss: number): void {
    this.samples += labels.length
    this.loss += loss * labels.length
    labels.forEach((label, i) => {
      const row = logits.subarray(i * this.numClasses, (i + 1) * this.numClasses)
      this.confusion[label * this.numClasses + largest(row)]! += 1
      if (rank(row, label) < 5) this.top5++
    })
  }

  result(): Evaluation {
    const { samples, numClasses, confusion } = this
    const correct = Array.from({ length: numClasses }, (_, i) => confusion[i * (numClasses + 1)]!).reduce((a, b) => a + b, 0)
    return { samples, loss: this.loss / samples, accuracy: correct / samples, top5: this.top5 / samples, confusion }
  }
}

/**
 * The place of the largest number, the first of several.
 *
 * @example
 * largest(Float32Array.of(1, 3, 3)) // 1
 */
export const largest = (values: Float32Array): number => values.reduce((best, value, i) => (value > values[best]! ? i : best), 0)

/** How many of a sample's classes come before one; of equals the first does. */
const rank = (values: Float32Array, label: number): number => values.reduce((before, value, i) => before + Number(value > values[label]! || (value === values[label]! && i < label)), 0)
