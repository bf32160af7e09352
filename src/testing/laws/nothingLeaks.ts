import { compile } from '../../backends/compile.js'
import type { Backend, Device } from '../../backends/device.js'
import { right } from 'fp-ts/lib/Either.js'
import { broken, defineLaw, kept } from './core/law.js'
import { need, type Subject } from './core/subject.js'

/** Runs leave no buffer behind, whether they end well or are aborted, and a program that is disposed of none at all. */
export const nothingLeaks = defineLaw({
  name: 'nothingLeaks',
  title: 'nothing leaks',
  meaning: 'A run, or a program that is gone, leaves buffers behind: look at the kernel or lowering of the ops of the smallest recipe that still leaks.',
  cost: 'run',
  judge: async subject => {
    for (const backend of subject.backends) {
      const found = await leakOn(subject, backend)
      if (found !== undefined) return broken(`on ${backend.name}, ${found}`)
    }
    return kept()
  },
})

const leakOn = async (subject: Subject, backend: Backend): Promise<string | undefined> => {
  const live = new Set<unknown>()
  const device = counted(need(await backend.open()), live)
  const tensors = (): number => device.held?.().buffers ?? 0
  const program = need(await compile(subject.model, { backend: { name: backend.name, open: async () => right(device) }, weights: subject.weights })())
  const feed = subject.feed(1) as never
  // The first run may make what is kept for good: constants, packed weights.
  need(await program.run(feed)())
  const [ours, theirs] = [live.size, tensors()]
  for (let i = 0; i < 2; i++) need(await program.run(feed)())
  await program.run(feed, { signal: AbortSignal.abort() })()
  const [grown, left] = [live.size - ours, tensors() - theirs]
  program.dispose()
  await program.run(feed)()
  await new Promise(resolve => setTimeout(resolve, 0))
  if (grown !== 0) return `3 runs left ${grown} buffers behind`
  if (left !== 0) return `3 runs left ${left} tensors behind that no plan knows`
  return live.size === 0 ? undefined : `a disposed program left ${live.size} buffers behind`
}

/** The same device, telling which of its buffers are alive. */
const counted = (device: Device, live: Set<unknown>): Device => {
  const born = <B>(buffer: B): B => (live.add(buffer), buffer)
  return {
    ...device,
    upload: (values, shape, dtype) => born(device.upload(values, shape, dtype)),
    free: buffer => (live.delete(buffer), device.free(buffer)),
    kernel: (node, batch) => {
      const found = device.kernel(node, batch)
      if (found._tag === 'Left') return found
      const { adapt, run } = found.right
      return right({ run: inputs => born(run(inputs)), ...(adapt === undefined ? {} : { adapt: { input: adapt.input, make: (buffer: unknown) => born(adapt.make(buffer)) } }) })
    },
  }
}
