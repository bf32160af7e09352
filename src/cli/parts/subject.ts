import type { Preprocessing, Recipe } from '../../../recipes/index.js'
import type { AnyModel } from '../../layers/core/model.js'

/** What a user pointed a command at: a published id, a file of theirs, a weight file that says what it is for. */
export interface Subject {
  /** How it was asked for: `vit_tiny_patch16_224`, `mine.ts#tiny`. */
  readonly id: string
  readonly model: AnyModel
  /** Absent for a bare model out of a file. */
  readonly preprocessing?: Preprocessing
  /** Other forms of it with the same parameters, by the objective that trains them. */
  readonly forms?: NonNullable<Recipe['forms']>
  /** What learns something else with most of its parameters, by the objective. */
  readonly pretexts?: NonNullable<Recipe['pretexts']>
  /** What a weight file says of itself so that it can be read back: a recipe's id or family, and its options. */
  readonly description?: Description
  /** A weight file that comes with it. */
  readonly weights?: string
  /** The name a code file exports it by. */
  readonly exported?: string
}

/** A model in a JSON file or in a weight file's metadata: a recipe's id or family, and options. */
export interface Description {
  readonly recipe: string
  readonly config: Readonly<Record<string, unknown>>
}

/** Changes asked for on the command line. */
export interface Changes {
  readonly config?: Readonly<Record<string, unknown>>
  readonly image?: readonly [height: number, width: number]
}
