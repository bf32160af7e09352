/**
 * An error as a value. Every fallible function of the library returns one of these on the left of an
 * `Either` or a `TaskEither`; nothing a user can do wrong is thrown.
 */
export interface Problem {
  /** A stable identifier: the name of the sentence (`headsDoNotSplit`, `weightsMisfit`). */
  readonly code: string
  /** What is wrong, with the sizes: `attention: 192 channels do not split into 5 heads (197×192)`. */
  readonly sentence: string
  /** Where in the architecture or the file: `blocks.3 › attention`, or empty. */
  readonly path: string
  /** What was needed, where there are two sides. */
  readonly expected?: string
  /** What was there instead. */
  readonly actual?: string
  /** A way out, where one is known: `the nearest image sizes that fit: 224, 256`. */
  readonly remedy?: string
}

/**
 * Builds a {@link Problem}.
 *
 * @example
 * problem('notJson', 'weights.safetensors: the header is not JSON').code // 'notJson'
 */
export const problem = (code: string, sentence: string, more: Partial<Omit<Problem, 'code' | 'sentence'>> = {}): Problem =>
  Object.freeze({ code, sentence, path: '', ...more })

/**
 * One line for a person: the sentence, where it happened, and the way out.
 *
 * @example
 * showProblem(problem('c', 'linear: expects channels', { path: 'head › linear' })) // 'linear: expects channels (at head › linear)'
 */
export const showProblem = (p: Problem): string =>
  p.sentence + (p.path === '' ? '' : ` (at ${p.path})`) + (p.remedy === undefined ? '' : `; ${p.remedy}`)
