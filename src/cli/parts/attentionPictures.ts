import { writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import { openSession } from '../../backends/openSession.js'
import { trace } from '../../graph/trace.js'
import { problem, type Problem } from '../../shape/problem.js'
import { isShape, type Shape } from '../../shape/shape.js'
import { makeFolder } from '../../training/checkpoint/makeFolder.js'
import { attentionRollout } from '../../training/evaluate/attentionRollout.js'
import { png } from '../../training/report/png.js'
import { veiled } from '../../training/report/veiled.js'
import { openSafetensors } from '../../weights/openSafetensors.js'
import { checkpoint } from './checkpoint.js'
import { decodeImage } from './decodeImage.js'
import { messageOf } from './messageOf.js'
import { inputShape } from './inputShape.js'
import { prepareImage } from './prepareImage.js'
import { preprocessingOf } from './preprocessingOf.js'
import type { Subject } from './subject.js'

/** Draws where a model looks. */
export interface AttentionPictures {
  /** Writes a PNG and gives its path: the image as the model gets it, bright where its attention is. */
  readonly draw: (file: string) => TaskEither<Problem, string>
  readonly dispose: () => void
}

/**
 * Compiles the attention rollout of a model with a weight file, to draw into a folder, which is made. Images of the same
 * name are numbered: `cat.attention.png`, `cat-2.attention.png`. Errors: `noAttention`, `notWritten` (also when it draws);
 * those of `trace`, `openSafetensors`, `checkpoint`, `openSession`.
 */
export const attentionPictures = (subject: Subject, weightFile: string, backend: Backend, folder: string): TaskEither<Problem, AttentionPictures> => async () => {
  const traced = trace(subject.model)
  if (traced._tag === 'Left') return traced
  const [shape, map] = [inputShape(subject.model.input), attentionRollout(traced.right)]
  if (map === undefined || !isShape(shape)) return left(problem('noAttention', `${subject.id}: there is no one map of where it looks: its layers see windows, or patches leave on the way`, { remedy: 'run it without --attention; windows have maps of their own, at <path>.attn.weights (see `features`)' }))
  const unmade = await makeFolder(folder).then(() => undefined, messageOf)
  if (unmade !== undefined) return left(problem('notWritten', `${folder}: pictures cannot be written there: ${unmade}`, { remedy: 'name a folder after --attention' }))
  const opened = await openSafetensors(weightFile)()
  if (opened._tag === 'Left') return opened
  const weights = checkpoint(opened.right, subject.model)
  const preprocessing = preprocessingOf(subject.preprocessing, opened.right.metadata)
  const session = weights._tag === 'Left' ? weights : await openSession({ look: { inputs: traced.right.inputs, outputs: { seen: map.weights } } }, { backend, weights: weights.right })()
  await opened.right.close()
  if (session._tag === 'Left') return session
  const written = new Set<string>()
  const draw = (file: string): TaskEither<Problem, string> => async () => {
    const image = await decodeImage(file)()
    if (image._tag === 'Left') return image
    const x = prepareImage(image.right, shape, preprocessing)
    if (x._tag === 'Left') return x
    const ran = await session.right.run('look', x.right)()
    if (ran._tag === 'Left') return ran
    const { rows, columns } = map
    const name = basename(file, extname(file))
    let picture = join(folder, `${name}.attention.png`)
    for (let n = 2; written.has(picture.toLowerCase()); n++) picture = join(folder, `${name}-${n}.attention.png`)
    // Windows and macOS take `Cat.png` and `cat.png` for one file.
    written.add(picture.toLowerCase())
    try {
      await writeFile(picture, png(veiled(pictureOf(x.right, shape, preprocessing), { rows, columns, weights: ran.right['seen'] as Float32Array }), deflateSync))
    } catch (fault) {
      return left(problem('notWritten', `${picture}: cannot be written: ${messageOf(fault)}`))
    }
    return right(picture)
  }
  return right({ draw, dispose: () => session.right.dispose() })
}

/** What a model gets, as bytes of pixels again. */
const pictureOf = (x: Float32Array, shape: Shape, { mean, std }: { readonly mean: readonly number[]; readonly std: readonly number[] }) => {
  const [height, width, channels] = shape as readonly [number, number, number]
  const pixels = Uint8Array.from(x, (value, i) => Math.max(0, Math.min(255, Math.round(255 * (value * (std[i % channels] ?? std[0]!) + (mean[i % channels] ?? mean[0]!))))))
  return { height, width, channels: channels as 1 | 3, pixels }
}
