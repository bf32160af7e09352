const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'not a folder',
  EISDIR: 'a folder, not a file',
  ELOOP: 'a symbolic link that leads back to itself',
}

/**
 * Why something thrown was thrown, in a few words on one line, without the path, which the reader has.
 *
 * @example
 * reasonOf(new Error('Input buffer has corrupt header: premature end of JPEG image\nInvalid JPEG file structure')) // 'input buffer has corrupt header: premature end of JPEG image'
 */
export const reasonOf = (cause: unknown): string => {
  const known = words[codeOf(cause)]
  if (known !== undefined) return known
  // libvips says the same again line by line.
  const [first = ''] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n')
  const text = first.replace(/\s+/g, ' ').replace(/^E[A-Z]+: (.*?)(?:, \w+(?: '.*')?)?$/, '$1').trim().slice(0, 200)
  return text.charAt(0).toLowerCase() + text.slice(1)
}

/**
 * The system's code of something thrown, or nothing.
 *
 * @example
 * codeOf(Object.assign(new Error('no such file'), { code: 'ENOENT' })) // 'ENOENT'
 */
export const codeOf = (cause: unknown): string => (cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '')
