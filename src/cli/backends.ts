import { right } from 'fp-ts/lib/Either.js'
import type { Problem } from '../shape/problem.js'
import type { CliCommand } from './parts/command.js'
import { backends as known } from './parts/backends.js'
import { options } from './parts/options.js'
import { table } from './parts/table.js'

/** Why a backend does not work, or works less well than it could. */
const told = (why: Problem | undefined): { readonly reason?: string; readonly remedy?: string } =>
  why === undefined ? {} : { reason: why.sentence, ...(why.remedy === undefined ? {} : { remedy: why.remedy }) }

/** `vitrail backends`: which backends work here, and why others do not. */
export const backends: CliCommand<{ readonly json?: boolean }> = {
  usage: 'backends',
  about: 'shows which backends work here, and why others do not',
  examples: ['vitrail backends', 'vitrail backends --json'],
  options: [options.json()],
  run: (_, { json = false }, { print, colours }) => async () => {
    const rows: { readonly name: string; readonly works: boolean; readonly reason?: string; readonly remedy?: string }[] = []
    for (const name of known.names) {
      const found = await known.find(name)()
      const opened = found._tag === 'Left' ? found : await found.right.open()
      if (opened._tag === 'Right') rows.push({ name, works: true, ...told(opened.right.notice) })
      else rows.push({ name, works: false, ...told(opened.left) })
    }
    if (json) print(JSON.stringify(rows, null, 2))
    else print(table([{ title: 'backend' }, { title: 'here' }, { title: '' }], rows.map(({ name, works, reason = '', remedy }) => [name, works ? colours.green('works') : colours.yellow('no'), reason + (remedy === undefined ? '' : `; ${remedy}`)]), colours))
    return right(0)
  },
}
