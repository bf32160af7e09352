import { codeOf } from '../../shape/reasonOf.js'

/**
 * Makes a folder, and those around it, where there is none. Unlike Node's own `recursive`, it says why a folder cannot be
 * made on a disk that is read-only, and always ends. Node only; rejects where a folder cannot be made.
 *
 * @returns the first folder that was made, if any
 */
export const makeFolder = async (folder: string): Promise<string | undefined> => {
  const [{ mkdir, stat }, { dirname, resolve }] = await Promise.all([import('node:fs/promises'), import('node:path')])
  const isThere = (path: string): Promise<boolean> => stat(path).then(found => found.isDirectory(), () => false)
  const missing: string[] = []
  for (let path = resolve(folder); !(await isThere(path)) && path !== dirname(path); path = dirname(path)) missing.unshift(path)
  // Somebody else may make one of them in the meantime.
  for (const path of missing) await mkdir(path).catch(async cause => (codeOf(cause) === 'EEXIST' && (await isThere(path)) ? undefined : Promise.reject(cause as Error)))
  return missing[0]
}
