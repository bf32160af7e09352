/**
 * The known name closest to one that was mistyped, by edits (Levenshtein), if any is close at all.
 *
 * @example
 * nearest('wasn', ['cpu', 'wasm']) // 'wasm'
 */
export const nearest = (name: string, known: readonly string[]): string | undefined => {
  const [best] = known.map(candidate => ({ candidate, edits: distance(name.toLowerCase(), candidate.toLowerCase()) })).sort((a, b) => a.edits - b.edits)
  return best !== undefined && best.edits <= Math.max(2, name.length / 3) ? best.candidate : undefined
}

const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
