import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = `${root}dist/.built`

const newest = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((latest, entry) => {
    const path = `${folder}/${entry.name}`
    return Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }, statSync(folder).mtimeMs)

const isFresh = (): boolean => {
  if (!existsSync(stamp)) return false
  const sources = [newest(`${root}src`), newest(`${root}recipes`), ...['tsconfig.json', 'tsconfig.build.json'].map(file => statSync(root + file).mtimeMs)]
  return statSync(stamp).mtimeMs > Math.max(...sources)
}

/** Builds `dist` before the first test if a source is newer: the type tests compile against it, as a user does. */
export default (): void => {
  if (isFresh()) return
  const started = new Date()
  const built = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--pretty', 'false'], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`dist does not build:\n${built.stdout}${built.stderr}`)
  writeFileSync(stamp, `${started.toISOString()}\n`)
}
