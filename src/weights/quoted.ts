/**
 * A name out of a file as it is shown in a sentence: in quotes, at most `limit` characters, with control characters
 * (a hostile file could hold terminal commands) escaped.
 *
 * @example
 * quoted('head.weight') // '"head.weight"'
 */
export const quoted = (name: string, limit = 80): string =>
  JSON.stringify(name.length > limit ? name.slice(0, limit - 1) + '…' : name).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'),
  )
