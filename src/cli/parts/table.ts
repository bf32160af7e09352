import Table from 'cli-table3'
import type { Colours } from './terminal.js'

/** A column: its heading, and to which side its cells go. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const borders = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid']

/** A table without lines, its columns two spaces apart; rows of `last` stand apart below the others. */
export const table = (columns: readonly Column[], rows: readonly (readonly string[])[], colours: Colours, last: readonly (readonly string[])[] = []): string => {
  const made = new Table({
    head: columns.map(({ title }) => colours.bold(title)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...Object.fromEntries(borders.map(name => [name, ''])), middle: '  ' },
    // cli-table3 colours heads and borders by itself unless told not to.
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 0 },
  })
  made.push(...rows.map(row => [...row]), ...last.map(row => row.map(cell => colours.bold(cell))))
  const lines = made.toString().split('\n').map(line => line.trimEnd())
  return last.length === 0 ? lines.join('\n') : [...lines.slice(0, -last.length), '', ...lines.slice(-last.length)].join('\n')
}
