import { readLabels } from '../readLabels.js'

/**
 * What a person should know where the classes of a weight file are not those of the data: what a head has learned is of
 * no use where the same number means another class.
 */
export const otherClasses = (path: string, labels: string | undefined, classes: readonly string[]): readonly string[] => {
  const known = labels === undefined ? undefined : readLabels(labels, classes.length, path)
  if (known?._tag !== 'Right' || known.right.every((name, i) => name === classes[i])) return []
  const few = (names: readonly string[]): string => `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`
  return [`${path}: its classes are ${few(known.right)}, but those of the data ${few(classes)}; data.classes gives them another order`]
}
