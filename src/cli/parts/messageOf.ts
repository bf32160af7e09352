/**
 * What a caught value says, on one line and not endlessly; of a system error, only its words.
 *
 * @example
 * messageOf(new Error("ENOENT: no such file or directory, open 'a'")) // 'no such file or directory'
 */
export const messageOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause))
    .replace(/\s+/g, ' ')
    .replace(/ Require stack:.*$/, '')
    .replace(/^E[A-Z]+: (.*?), \w+(?: '.*')?$/, '$1')
    .trim()
    .slice(0, 300)
