import { extname } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { openTowers, type TwoTowers } from '../backends/openTowers.js'
import { problem, showProblem, type Problem } from '../shape/problem.js'
import { showFields, type Shape } from '../shape/shape.js'
import { byteTokenizer } from '../training/text/byteTokenizer.js'
import { hubTokenizer } from '../training/text/hubTokenizer.js'
import { padTokens } from '../training/text/padTokens.js'
import type { Tokenizer } from '../training/text/tokenizer.js'
import { wordTokenizer } from '../training/text/wordTokenizer.js'
import { openSafetensors } from '../weights/openSafetensors.js'
import { backends } from './parts/backends.js'
import { checkpoint } from './parts/checkpoint.js'
import type { CliCommand } from './parts/command.js'
import { decodeImage } from './parts/decodeImage.js'
import { inputShape } from './parts/inputShape.js'
import { options } from './parts/options.js'
import { prepareImage } from './parts/prepareImage.js'
import { preprocessingOf } from './parts/preprocessingOf.js'
import { readJson } from './parts/readJson.js'
import { softmax } from './parts/softmax.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'

interface ZeroShotOptions {
  readonly image: readonly string[]
  readonly labels: readonly string[]
  readonly weights: string
  readonly vocab: string
  readonly template: string
  readonly backend: string
  readonly json?: boolean
}

/**
 * `vitrail zero-shot`: which of some texts is of an image (Radford et al., 2021, section 3.1). Errors: `notTwoTowers`,
 * `noPlaceForLabel`; those of `subjects.one`, of the tokenizer and the backend, of `openSafetensors`, `checkpoint` and `openTowers`.
 */
export const zeroShot: CliCommand<ZeroShotOptions> = {
  usage: 'zero-shot [model]',
  about: 'says which of some texts fits an image best, with a model of two towers such as CLIP',
  examples: ['vitrail zero-shot clip_vit_b32 --image pet.jpg --labels "a cat,a dog" --weights clip.safetensors --vocab tokenizer.json', 'vitrail zero-shot --image *.png --labels "cat,dog" --template "a photo of a {}" --weights mine.safetensors --vocab words.txt --json'],
  options: [
    options.text('--image <files...>', 'the images').makeOptionMandatory(),
    options.names('--labels <texts>', 'the texts, with commas between').makeOptionMandatory(),
    options.text('--weights <file>', 'a safetensors file with the weights, under their published names; a file that says what it is for needs no model').makeOptionMandatory(),
    options.text('--vocab <file>', 'how texts become tokens: a tokenizer.json, a list of words, one a line, or `bytes`').makeOptionMandatory(),
    options.text('--template <text>', 'what each label is put into, at {}').default('{}'),
    options.backend(),
    options.json(),
  ],
  run: ([model], { image: files, labels, weights: weightFile, vocab, template, backend: name, json = false }, { print, warn, colours }) => async () => {
    const subject = await subjects.one(model ?? weightFile)()
    if (subject._tag === 'Left') return subject
    const takes = inputShape(subject.right.model.input) as { readonly image?: Shape; readonly text?: { readonly integers?: readonly [number] } }
    const length = takes.text?.integers?.[0]
    if (takes.image === undefined || length === undefined) return left(problem('notTwoTowers', `${subject.right.id}: takes ${showFields(inputShape(subject.right.model.input))}, not an image and a text`, { remedy: 'clip_vit_b32 and its kin do' }))
    if (!template.includes('{}')) return left(problem('noPlaceForLabel', `--template: '${template}' has no {} where a label would go`))
    const tokenizer = await tokenizerOf(vocab)
    if (tokenizer._tag === 'Left') return tokenizer
    const tokens = tokensOf(tokenizer.right, labels.map(label => template.replaceAll('{}', label)), length)
    if (tokens._tag === 'Left') return tokens
    const backend = await backends.find(name)()
    if (backend._tag === 'Left') return backend
    const opened = await openSafetensors(weightFile)()
    if (opened._tag === 'Left') return opened
    const weights = checkpoint(opened.right, subject.right.model)
    const towers = weights._tag === 'Left' ? weights : await openTowers(subject.right.model as unknown as TwoTowers, { backend: backend.right, weights: weights.right })()
    await opened.right.close()
    if (towers._tag === 'Left') return towers
    const texts = await towers.right.texts(tokens.right)()
    if (texts._tag === 'Left') {
      towers.right.dispose()
      return texts
    }
    const see = async (file: string): Promise<Either<Problem, readonly number[]>> => {
      const image = await decodeImage(file)()
      if (image._tag === 'Left') return image
      const pixels = prepareImage(image.right, takes.image!, preprocessingOf(subject.right.preprocessing, opened.right.metadata))
      if (pixels._tag === 'Left') return pixels
      const features = await towers.right.images(pixels.right)()
      return features._tag === 'Left' ? features : right(softmax(towers.right.similarities(features.right, texts.right)[0]!))
    }
    const results: object[] = []
    let failed = false
    for (const file of files) {
      const seen = await see(file)
      if (seen._tag === 'Left') {
        failed = true
        warn(`vitrail: ${showProblem(seen.left)}`)
        results.push({ file, error: showProblem(seen.left) })
        continue
      }
      const best = labels.map((label, i) => ({ label, probability: seen.right[i]! })).sort((a, b) => b.probability - a.probability)
      results.push({ file, labels: best })
      if (!json) print(`${colours.bold(file)}\n${table([{ title: 'label' }, { title: 'probability', align: 'right' }], best.map(({ label, probability }) => [label, `${(100 * probability).toFixed(2)} %`]), colours)}\n`)
    }
    towers.right.dispose()
    if (json) print(JSON.stringify(results, null, 2))
    return right(failed ? 2 : 0)
  },
}

/** What `--vocab` means. */
const tokenizerOf = async (vocab: string): Promise<Either<Problem, Tokenizer>> => {
  if (vocab === 'bytes') return right(byteTokenizer)
  const text = await readJson.text(vocab)()
  if (text._tag === 'Left') return text
  if (extname(vocab) !== '.json') return right(wordTokenizer(text.right.split(/\r?\n/).map(word => word.trim()).filter(word => word !== '')))
  const json = readJson.object(text.right, vocab)
  return json._tag === 'Left' ? json : hubTokenizer(json.right)()
}

const tokensOf = (tokenizer: Tokenizer, texts: readonly string[], length: number): Either<Problem, Int32Array> => {
  const encoded: (readonly number[])[] = []
  for (const text of texts) {
    const ids = tokenizer.encode(text)
    if (ids._tag === 'Left') return left({ ...ids.left, sentence: `'${text}': ${ids.left.sentence}` })
    encoded.push(ids.right)
  }
  return padTokens(encoded, length)
}
