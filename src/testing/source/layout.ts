/** The longest line that is not broken up. */
const widest = 110

/**
 * Something with parts between brackets: on one line where it fits, else a part a line.
 *
 * @example
 * bracketed('linear(', ['10', '{}'], ')') // 'linear(10, {})'
 */
export const bracketed = (open: string, parts: readonly string[], close: string, isSpaced = false): string => {
  const space = isSpaced && parts.length > 0 ? ' ' : ''
  const line = `${open}${space}${parts.join(', ')}${space}${close}`
  return line.length <= widest && !line.includes('\n') ? line : `${open}\n${parts.map(part => `${indented(part)},\n`).join('')}${close}`
}

/** Text two spaces further in. */
export const indented = (text: string): string => `  ${text.replaceAll('\n', '\n  ')}`
