import type { AnyModel } from '../../layers/core/model.js'
import { showProblem } from '../../shape/problem.js'
import { checkModel, type CheckOptions } from '../check/checkModel.js'
import type { Law } from '../laws/core/law.js'
import type { LawOptions } from '../laws/core/subject.js'

/** What vitest and jest want of a matcher. */
export interface Matched {
  readonly pass: boolean
  readonly message: () => string
}

const toObey = async (model: unknown, law: Law, options?: LawOptions): Promise<Matched> => {
  const found = await law.check(model as AnyModel, options)()
  if (found._tag === 'Left') return { pass: false, message: () => `${law.name}: ${showProblem(found.left)}` }
  const verdict = found.right
  const told = verdict.is === 'broken' ? `${law.title}: ${verdict.evidence}\n${law.meaning}` : `the model obeys '${law.title}'${verdict.is === 'silent' ? `, of which it has nothing to break: ${verdict.why}` : ''}`
  return { pass: verdict.is !== 'broken', message: () => told }
}

const toObeyLaws = async (model: unknown, options?: CheckOptions): Promise<Matched> => {
  const found = await checkModel(model as AnyModel, options)()
  if (found._tag === 'Left') return { pass: false, message: () => showProblem(found.left) }
  const { failures } = found.right
  const told = failures.map(({ law, part, evidence, smallest }) => `${part.name} breaks ${law.name}, '${law.title}': ${evidence}\n${law.meaning}${smallest === undefined ? '' : `\nThe smallest recipe found that fails:\n\n${smallest.source}`}`)
  return { pass: failures.length === 0, message: () => (failures.length === 0 ? 'the model obeys every law' : told.join('\n\n')) }
}

/**
 * Matchers of laws, for vitest and jest: `expect.extend(lawMatchers)` once, then `await expect(model).toObey(law)`, and
 * `await expect(model).toObeyLaws()` for all laws on all parts, as `vitrail check` does it.
 *
 * @example
 * await lawMatchers.toObeyLaws(pipe(input(5, 8), layerNorm()), { laws: [] }).then(matched => matched.pass) // true
 */
export const lawMatchers = { toObey, toObeyLaws } as const

/** What {@link lawMatchers} add to `expect`: `declare module 'vitest' { interface Matchers<T> extends LawMatchers {} }`. */
export interface LawMatchers {
  /** Whether the model obeys one law. */
  toObey(law: Law, options?: LawOptions): Promise<void>
  /** Whether the model, and every layer in it alone, obeys all laws. */
  toObeyLaws(options?: CheckOptions): Promise<void>
}
