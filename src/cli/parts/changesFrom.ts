import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'
import { readJson } from './readJson.js'
import type { Changes } from './subject.js'

/** The changes that `--config` and `--image` ask for. Errors: `notJson`, `notAnObject`. */
export const changesFrom = ({ config, image }: { readonly config?: string; readonly image?: readonly [number, number] }): Either<Problem, Changes> => {
  const read = config === undefined ? undefined : readJson.object(config, '--config')
  if (read?._tag === 'Left') return read
  return right({ ...(read === undefined ? {} : { config: read.right }), ...(image === undefined ? {} : { image }) })
}
