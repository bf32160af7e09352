/**
 * Compares two texts by their code points, as `Array.prototype.sort` wants it. The language's own `<` compares UTF-16
 * units, by which an emoji comes before some letters.
 *
 * @example
 * ['\u{1F600}', '\uFF5E', 'b', 'a'].sort(byCodePoint) // ['a', 'b', '\uFF5E', '\u{1F600}']
 */
export const byCodePoint = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)]
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff
