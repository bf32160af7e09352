import type { TransferReport } from './transfer.js'

/** How many names a line lists; all are in the report. */
const shown = 6

/**
 * A report of transferred weights for a person: a line for each thing that happened.
 *
 * @example
 * showTransfer({ kept: ['norm.weight'], resized: [{ name: 'pos_embed', from: [14, 14], to: [24, 24] }], new: [], unused: [] }) // '1 kept\n1 resized: pos_embed 14×14 → 24×24'
 */
export const showTransfer = ({ kept, resized, new: made, unused, renaming }: TransferReport): string => {
  const listed = (names: readonly string[]): string => names.slice(0, shown).join(', ') + (names.length > shown ? `, and ${names.length - shown} more` : '')
  const whys = { missing: '', head: ' (another head)', otherShape: ' (another shape)' } as const
  return [
    `${kept.length} kept${renaming === undefined ? '' : 'strip' in renaming ? `, their prefix "${renaming.strip}" taken away` : `, with "${renaming.add}" in front`}`,
    ...(resized.length === 0 ? [] : [`${resized.length} resized: ${listed(resized.map(({ name, from, to }) => `${name} ${from.join('×')} → ${to.join('×')}`))}`]),
    ...(made.length === 0 ? [] : [`${made.length} new: ${listed(made.map(({ name, why }) => name + whys[why]))}`]),
    ...(unused.length === 0 ? [] : [`${unused.length} unused: ${listed(unused)}`]),
  ].join('\n')
}
