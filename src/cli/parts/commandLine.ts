/** What an option was given; one that was not given is left out. */
type Given = string | number | boolean | readonly string[] | undefined

/**
 * A command line as a person can type it again: arguments that hold blanks, and what shells read otherwise, are quoted.
 *
 * @example
 * commandLine(['train', 'my run.json'], { out: 'run', seed: 5, set: ['steps=9'], resume: true, epochs: undefined }) // 'vitrail train "my run.json" --out run --seed 5 --set steps=9 --resume'
 */
export const commandLine = (words: readonly string[], options: Readonly<Record<string, Given>>): string =>
  ['vitrail', ...words.map(quoted), ...Object.entries(options).flatMap(([name, given]) => (given === undefined || given === false ? [] : [`--${name}`, ...(given === true ? [] : [given].flat().map(each => quoted(`${each}`)))]))].join(' ')

/** Double quotes where they will do, which Windows knows too; there a backslash escapes nothing but a quote, and so itself in front of one. */
const quoted = (text: string): string => {
  const isWindows = process.platform === 'win32'
  if ((isWindows ? /^[\w@+=:,./\\-]+$/ : /^[\w@%+=:,./-]+$/).test(text)) return text
  if (isWindows) return `"${text.replace(/(\\*)("|$)/g, (_, slashes: string, quote: string) => `${slashes}${slashes}${quote && '\\"'}`)}"`
  return /["$`\\!]/.test(text) ? `'${text.replaceAll("'", `'\\''`)}'` : `"${text}"`
}
