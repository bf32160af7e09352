import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { of, type TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Dataset } from './dataset.js'
import { reasonOf } from '../../shape/reasonOf.js'

/** Options of {@link captions}. */
export interface CaptionsOptions {
  /** Where the paths of images begin (default: the folder of the file). */
  readonly images?: string
}

/**
 * Images with what is said of them, as a file lists them: JSON lines `{ "image": "a.png", "text": "a cat" }` (.jsonl), or a
 * path, a tab and a text on each line (.tsv). Its classes are the texts, each once, in the order in which they first stand;
 * an image may have several, in lines of their own. Images are not opened: a corrupt one is found when it is decoded.
 *
 * Errors: `fileUnreadable`, `captionMalformed` (with the line), `noSamples`.
 *
 * @example
 * await captions('nowhere.jsonl')() // left({ code: 'fileUnreadable', sentence: 'nowhere.jsonl: cannot be read: no such file or folder', path: '' })
 */
export const captions = (path: string, { images }: CaptionsOptions = {}): TaskEither<Problem, Dataset> => async () => {
  const { readFile } = await import('node:fs/promises')
  const { dirname, resolve } = await import('node:path')
  const text: string | Either<Problem, never> = await readFile(path, 'utf8').catch((cause: unknown) => left(problem('fileUnreadable', `${path}: cannot be read: ${reasonOf(cause)}`)))
  if (typeof text !== 'string') return text
  const folder = images ?? dirname(path)
  const numbers = new Map<string, number>()
  const [files, labels]: [string[], number[]] = [[], []]
  for (const [i, line] of text.replace(/^\uFEFF/, '').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const pair = path.endsWith('.tsv') ? fromTabs(line) : fromJson(line)
    if (pair === undefined) return left(problem('captionMalformed', `${path}, line ${i + 1}: is no pair of an image and a text`, { path: `${i + 1}`, remedy: path.endsWith('.tsv') ? 'write the path, a tab and the text' : 'write { "image": "a.png", "text": "a cat" }, or a .tsv file with tabs' }))
    if (!numbers.has(pair.text)) numbers.set(pair.text, numbers.size)
    files.push(pair.image)
    labels.push(numbers.get(pair.text)!)
  }
  if (files.length === 0) return left(problem('noSamples', `${path}: holds no pairs`))
  return right({
    name: path,
    classes: [...numbers.keys()],
    size: files.length,
    labels: Int32Array.from(labels),
    item: index => of({ label: labels[index]!, name: files[index]!, image: { file: resolve(folder, files[index]!) } }),
  })
}

interface Pair {
  readonly image: string
  readonly text: string
}

const isPair = ({ image, text }: Partial<Pair>): boolean => typeof image === 'string' && image !== '' && typeof text === 'string' && text.trim() !== ''

const fromTabs = (line: string): Pair | undefined => {
  const at = line.indexOf('\t')
  const pair = { image: line.slice(0, at), text: line.slice(at + 1).trim() }
  return at > 0 && isPair(pair) ? pair : undefined
}

const fromJson = (line: string): Pair | undefined => {
  try {
    const { image, text } = JSON.parse(line) as Partial<Pair>
    return isPair({ image, text } as Partial<Pair>) ? { image: image!, text: text!.trim() } : undefined
  } catch {
    return undefined
  }
}
