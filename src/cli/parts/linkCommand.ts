import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/*
 * Run after a build in a clone of this repository, so that `npx vitrail` finds the command in the clone
 * itself: npm links the commands of dependencies, but not a package's own. On Windows, where a link is no
 * command, npx finds it by the slower way it has for a package's own commands.
 */
if (process.platform !== 'win32') {
  const main = fileURLToPath(new URL('../main.js', import.meta.url))
  const folder = fileURLToPath(new URL('../../../../node_modules/.bin/', import.meta.url))
  await chmod(main, 0o755)
  await mkdir(folder, { recursive: true })
  await rm(`${folder}vitrail`, { force: true })
  await symlink('../../dist/src/cli/main.js', `${folder}vitrail`)
}
