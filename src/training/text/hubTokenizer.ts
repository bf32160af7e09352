import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Tokenizer } from './tokenizer.js'

/** What is used of the library. */
interface Library {
  readonly Tokenizer: new (json: object, config: object) => { readonly encode: (text: string) => { readonly ids: readonly number[] } }
}

// By a name that is no literal, so that it is looked for only when this runs.
const name = '@huggingface/tokenizers'
const fromPackage = (): Promise<Library> => import(name) as Promise<Library>

/**
 * The tokenizer that a `tokenizer.json` describes (CLIP's, with its byte pairs, is beside its weights on Hugging Face),
 * read by `@huggingface/tokenizers`, an optional peer. Errors: `tokenizerMissing`, `notATokenizer`.
 *
 * @example
 * const tokenizer = await hubTokenizer({}, async () => ({ Tokenizer: class { encode = () => ({ ids: [49406, 49407] }) } }))() // Either<Problem, Tokenizer>
 */
export const hubTokenizer = (json: object, load: () => Promise<Library> = fromPackage): TaskEither<Problem, Tokenizer> => async () => {
  const library = await load().catch(() => undefined)
  if (library === undefined) return left(problem('tokenizerMissing', `a tokenizer.json is read by ${name}, which is not installed`, { remedy: `npm install ${name}` }))
  try {
    const made = new library.Tokenizer(json, {})
    return right({ encode: text => right(Array.from(made.encode(text).ids, Number)) })
  } catch (cause) {
    return left(problem('notATokenizer', `the tokenizer.json cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`))
  }
}
