import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Safetensors, TensorEntry } from './safetensors.js'

/**
 * A file whose tensors have other names: those of the model, where a checkpoint calls its parameters otherwise. What
 * `nameOf` gives no name is left out. Nothing is read or copied; closing it closes the file.
 *
 * Errors: `namesCollide`, where two tensors would get one name. Reads: `tensorMissing`, and those of the file.
 *
 * @example
 * renameTensors(file, name => name.replace(/\bgamma_(\d)$/, 'ls$1.gamma').replace('.attn.wq.', '.attn.q.')) // Either<Problem, Safetensors>
 */
export const renameTensors = (file: Safetensors, nameOf: (name: string) => string | undefined): Either<Problem, Safetensors> => {
  const tensors = new Map<string, TensorEntry>()
  for (const [before, entry] of file.tensors) {
    const name = nameOf(before)
    if (name === undefined) continue
    const other = tensors.get(name)
    if (other !== undefined) return left(problem('namesCollide', `renameTensors: '${other.name}' and '${before}' would both be called '${name}'`, { remedy: 'give one of them another name, or none (undefined) to leave it out' }))
    tensors.set(name, entry)
  }
  const read: Safetensors['read'] = name => async () => {
    const entry = tensors.get(name)
    if (entry === undefined) return left(problem('tensorMissing', `renameTensors: no tensor '${name}' among the ${tensors.size} that have names`))
    const found = await file.read(entry.name)()
    return found._tag === 'Left' ? found : right({ ...found.right, name })
  }
  return right({ metadata: file.metadata, tensors: new Map([...tensors].map(([name, entry]) => [name, { ...entry, name }])), read, close: file.close })
}
