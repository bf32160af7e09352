import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from './packageRoot.js'

/** The file of the weights that this package brings along for a recipe, if it does. */
export const embeddedWeights = (id: string): string | undefined => {
  const file = join(packageRoot(), 'recipes', 'weights', `${id}.safetensors`)
  return existsSync(file) ? file : undefined
}
