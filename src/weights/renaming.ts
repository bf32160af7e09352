/** What the names of a checkpoint have in front and the model's have not (`strip`), or the other way round (`add`). */
export type Renaming = { readonly strip: string } | { readonly add: string }

/** The name of the model for a name of the checkpoint, if it is one of those renamed. */
export const renamed = (name: string, renaming: Renaming | undefined): string | undefined =>
  renaming === undefined ? name : 'add' in renaming ? renaming.add + name : name.startsWith(renaming.strip) ? name.slice(renaming.strip.length) : undefined

/**
 * How names of a checkpoint become those of a model, if with some prefix taken away (`module.`, `model.`, `encoder.`)
 * or put in front more of them are the model's than as they are. A prefix ends with a dot.
 *
 * @example
 * renamingOf(['module.head.weight', 'module.head.bias'], ['head.weight', 'head.bias']) // { strip: 'module.' }
 */
export const renamingOf = (checkpoint: readonly string[], model: readonly string[]): Renaming | undefined => {
  const [theirs, ours] = [new Set(checkpoint), new Set(model)]
  const same = model.filter(name => theirs.has(name)).length
  const [strip, add] = [mostCommon(checkpoint, ours), mostCommon(model, theirs)]
  const best = (add?.count ?? 0) > (strip?.count ?? 0) ? add : strip
  if (best === undefined || best.count <= same) return undefined
  return best === add ? { add: best.prefix } : { strip: best.prefix }
}

/** The prefix without which most of some names are among others; of several, the first. */
const mostCommon = (names: readonly string[], others: ReadonlySet<string>): { readonly prefix: string; readonly count: number } | undefined => {
  const counts = new Map<string, number>()
  for (const name of names)
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
      if (others.has(name.slice(dot + 1))) counts.set(name.slice(0, dot + 1), (counts.get(name.slice(0, dot + 1)) ?? 0) + 1)
  return [...counts].map(([prefix, count]) => ({ prefix, count })).sort((a, b) => b.count - a.count)[0]
}
