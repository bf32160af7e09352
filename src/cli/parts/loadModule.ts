import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { messageOf } from './messageOf.js'
import { packageRoot } from './packageRoot.js'

/**
 * Runs a user's TypeScript or JavaScript file, wherever it lies, and gives its exports. Types are stripped,
 * not checked. It may import `vitrail`, what begins with `vitrail/`, and `fp-ts`, which are this package's own, and
 * whatever else is installed beside it. Errors: `fileUnreadable`, `fileDoesNotLoad`.
 */
export const loadModule = (file: string): TaskEither<Problem, Readonly<Record<string, unknown>>> => async () => {
  try {
    if (!(await stat(file)).isFile()) return left(problem('fileUnreadable', `${file}: not a regular file`))
  } catch (cause) {
    return left(problem('fileUnreadable', `${file}: ${messageOf(cause)}`))
  }
  try {
    const { createJiti } = await import('jiti')
    const jiti = createJiti(import.meta.url, {
      interopDefault: false,
      fsCache: false,
      // The very modules that run now, so that nothing is loaded twice.
      virtualModules: { vitrail: await import('../../index.js'), 'vitrail/recipes': await import('../../../recipes/index.js'), 'vitrail/training': await import('../../training/index.js') },
      alias: {
        // Files there are named as users import them.
        vitrail: join(packageRoot(), 'dist', 'bundle'),
        'fp-ts': dirname(createRequire(import.meta.url).resolve('fp-ts/package.json')),
      },
    })
    return right({ ...(await jiti.import<Record<string, unknown>>(resolve(file))) })
  } catch (cause) {
    return left(problem('fileDoesNotLoad', `${file}: does not load: ${messageOf(cause)}`))
  }
}
