import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'
import { makeFolder } from './makeFolder.js'

/** The folders that trainings of this process write to. */
const claimed = new Set<string>()

/**
 * Makes a folder where there is none, and keeps it for one training: a second one would write between the lines of the
 * first. A file in it holds the number of the process; one of a process that is gone, killed perhaps, does not count.
 * Node only.
 *
 * Errors: `fileUnwritable`, `folderBusy`.
 *
 * @returns what lets go of the folder, and removes it where it is still empty and was made here
 */
export const claimFolder = async (folder: string): Promise<Either<Problem, () => Promise<void>>> => {
  const { readFile, realpath, rmdir, unlink, writeFile } = await import('node:fs/promises')
  const { join } = await import('node:path')
  try {
    const made = await makeFolder(folder)
    const place = await realpath(folder)
    const lock = join(place, '.vitrail.lock')
    const take = (): Promise<boolean> => writeFile(lock, `${process.pid}`, { flag: 'wx' }).then(() => true, cause => (codeOf(cause) === 'EEXIST' ? false : Promise.reject(cause)))
    if (!(await take())) {
      const holder = Number(await readFile(lock, 'utf8').catch(() => ''))
      const busy = left(problem('folderBusy', `${folder}: another training (process ${holder}) is writing there`, { remedy: `wait for it or name another folder; if there is no such training, remove ${lock}` }))
      // In a container each life of a program may have the same number, so its own is known by what it holds now.
      if (holder === process.pid ? claimed.has(place) : isRunning(holder)) return busy
      await unlink(lock).catch(() => undefined)
      if (!(await take())) return busy
    }
    claimed.add(place)
    return right(async () => {
      claimed.delete(place)
      await unlink(lock).catch(() => undefined)
      if (made !== undefined) await rmdir(place).catch(() => undefined)
    })
  } catch (cause) {
    return left(problem('fileUnwritable', `${folder}: cannot be written to: ${reasonOf(cause)}`))
  }
}

/** A process of somebody else's may not be signalled, but is there. */
const isRunning = (id: number): boolean => {
  if (!Number.isSafeInteger(id) || id <= 0) return false
  try {
    return process.kill(id, 0)
  } catch (cause) {
    return codeOf(cause) === 'EPERM'
  }
}
