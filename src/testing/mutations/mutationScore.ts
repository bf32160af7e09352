import { trace } from '../../graph/trace.js'
import type { AnyModel } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { agree } from '../../shape/agree.js'
import { choicesOf, type Choices } from '../arbitraries/choices.js'
import { grow, type GrowOptions } from '../arbitraries/grow.js'
import { toSource } from '../source/toSource.js'
import { expectedOf, judgedLayers, type Expected } from './expectedOf.js'
import { mutations } from './mutations.js'

/** An architecture with one thing in it broken, or changed, and what should become of it. */
export interface Mutant {
  readonly mutation: string
  readonly model: AnyModel
  /** By the definition in plain arithmetic: a refusal with code and path, or a shape where the mutant happens to be valid. */
  readonly expected: NonNullable<Expected>
}

/** Every mutant of a model, one for each mutation that finds a place; those that the definition cannot judge are left out. */
export const mutants = (m: AnyModel, choices: Choices): readonly Mutant[] =>
  Object.entries(mutations).flatMap(([mutation, mutate]): readonly Mutant[] => {
    const mutant = mutate(m, choices)
    if (mutant === undefined || toSource(mutant) === toSource(m)) return []
    const expected = expectedOf(mutant)
    return expected === undefined ? [] : [{ mutation, model: mutant, expected }]
  })

/** What tracing says of a mutant that the definition does not, or nothing where they agree. */
export const disagreement = ({ model, expected }: Pick<Mutant, 'model' | 'expected'>): string | undefined => {
  const found = trace(model)
  const should = 'code' in expected ? `${expected.code} at ${expected.path}` : JSON.stringify(expected.shape)
  const said = found._tag === 'Left' ? `${found.left.code} at ${found.left.path}` : JSON.stringify(shapeOfSignal(found.right.output))
  const isSame = 'code' in expected ? said === should : found._tag === 'Right' && agree(shapeOfSignal(found.right.output), expected.shape)
  return isSame ? undefined : `should be ${should}, is ${said}`
}

/** How many mutants there were, and what became of them. */
export interface MutationScore {
  /** By mutation: how many should be refused, how many of those were, with code and path, and how many happen to be valid. */
  readonly byMutation: ReadonlyMap<string, { readonly broken: number; readonly refused: number; readonly valid: number }>
  readonly broken: number
  readonly refused: number
  readonly valid: number
  /** Refused out of broken, from 0 to 1. */
  readonly score: number
  /** Those of which tracing says something else than the definition: not refused, refused otherwise, or refused though valid. */
  readonly survivors: readonly { readonly mutant: Mutant; readonly why: string }[]
}

/**
 * Breaks random architectures in every way there is and sees whether tracing refuses each where the definition does,
 * with the code and the path it should have. What should become of a mutant is worked out in plain arithmetic,
 * not by the checks that are on trial.
 */
export const mutationScore = ({ seed = 1, models = 200, ...options }: GrowOptions & { readonly seed?: number; readonly models?: number } = {}): MutationScore => {
  const choices = choicesOf(seed)
  const byMutation = new Map(Object.keys(mutations).map(name => [name, { broken: 0, refused: 0, valid: 0 }]))
  const survivors: { mutant: Mutant; why: string }[] = []
  for (let i = 0; i < models; i++) {
    // Every layer has its turn to be in one.
    for (const mutant of mutants(grow(choices, { layers: judgedLayers, favourite: judgedLayers[i % judgedLayers.length]!, ...options }), choices)) {
      const why = disagreement(mutant)
      const row = byMutation.get(mutant.mutation)!
      if ('code' in mutant.expected) {
        row.broken++
        if (why === undefined) row.refused++
      } else row.valid++
      if (why !== undefined) survivors.push({ mutant, why })
    }
  }
  const total = (key: 'broken' | 'refused' | 'valid'): number => [...byMutation.values()].reduce((sum, row) => sum + row[key], 0)
  return { byMutation, broken: total('broken'), refused: total('refused'), valid: total('valid'), score: total('broken') === 0 ? 1 : total('refused') / total('broken'), survivors }
}

/** A table of a score, a mutation a line. */
export const showMutationScore = ({ byMutation, broken, refused, valid, score }: MutationScore): string => {
  const rows = [['mutation', 'broken', 'refused', 'valid'], ...[...byMutation].map(([name, row]) => [name, String(row.broken), String(row.refused), String(row.valid)]), ['all', String(broken), `${refused} (${(100 * score).toFixed(1)}%)`, String(valid)]] as const
  const widths = [0, 1, 2, 3].map(i => Math.max(...rows.map(row => row[i]!.length)))
  return rows.map(row => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()).join('\n')
}
