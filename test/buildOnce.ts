import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const log = `${root}dist/.build.log`

const newest = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((latest, entry) => {
    const path = `${folder}/${entry.name}`
    return Math.max(latest, entry.isDirectory() ? newest(path) : statSync(path).mtimeMs)
  }, statSync(folder).mtimeMs)

const isFresh = (): boolean => {
  if (!existsSync(log) || readFileSync(log, 'utf8') !== '') return false
  const sources = [newest(`${root}src`), newest(`${root}recipes`), ...['tsconfig.json', 'tsconfig.build.json', 'package.json', 'test/conventions/bundle.mjs'].map(file => statSync(root + file).mtimeMs)]
  return statSync(log).mtimeMs > Math.max(...sources)
}

/**
 * Builds `dist` before the first test if a source is newer: the type tests compile against it, as a user does.
 * What the compiler said, or the bundler, is left in `dist/.build.log`, which test/types/build.test.ts reads, so that a source
 * that does not compile fails one test and not all.
 */
export default (): void => {
  if (isFresh()) return
  const ran = (...command: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' })
    return status === 0 ? '' : `${stdout}${stderr}`
  }
  const said = ran('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--pretty', 'false') || ran('test/conventions/bundle.mjs')
  mkdirSync(`${root}dist`, { recursive: true })
  writeFileSync(log, said)
}
