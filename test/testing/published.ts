import type { AnyModel } from '../../src/index.js'
import { recipes } from '../../recipes/index.js'

/** Every published model by its id, as data: the compiler need not work out a hundred types to look at them. */
export const published: readonly (readonly [id: string, model: AnyModel])[] = Object.entries(recipes as unknown as Readonly<Record<string, { readonly model: AnyModel }>>).map(([id, { model }]) => [id, model])
