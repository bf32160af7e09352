import { right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { compile } from '../backends/compile.js'
import { trace } from '../graph/trace.js'
import type { Problem } from '../shape/problem.js'
import { backends } from './parts/backends.js'
import type { CliCommand } from './parts/command.js'
import { format } from './parts/format.js'
import { options } from './parts/options.js'
import { profiled, shares, type KernelShare, type KernelTimes } from './parts/profiled.js'
import { sampleInput } from './parts/sampleInput.js'
import { seededWeights } from './parts/seededWeights.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'
import type { Colours } from './parts/terminal.js'

interface BenchOptions {
  readonly backend: readonly string[]
  readonly batch: number
  readonly runs: number
  readonly profile?: boolean
  readonly json?: boolean
}

/** A compiled model waiting for its turn. */
interface Contender {
  readonly backend: string
  readonly run: TaskEither<Problem, unknown>
  readonly dispose: () => void
  readonly times: number[]
  readonly kernels: KernelTimes
}

const warmUps = 2

/** `vitrail bench`: how fast a model runs, backend beside backend. */
export const bench: CliCommand<BenchOptions> = {
  usage: 'bench <model>',
  about: 'measures how fast a model runs, with random weights',
  examples: ['vitrail bench vit_tiny_patch16_224', 'vitrail bench vit_small_patch16_224 --backend cpu,wasm --batch 4 --runs 20', 'vitrail bench swin_tiny_patch4_window7_224 --profile'],
  options: [options.backends(), options.wholeNumber('--batch <n>', 'images a run').default(1), options.wholeNumber('--runs <n>', `measured runs, after ${warmUps} to warm up`).default(10), options.text('--profile', 'the time of each kernel, the shortest of all runs'), options.json()],
  run: ([target = ''], { backend: names, batch, runs, profile = false, json = false }, { print, colours }) => async () => {
    const subject = await subjects.one(target)()
    if (subject._tag === 'Left') return subject
    const found = await backends.findAll(names)()
    if (found._tag === 'Left') return found
    const { id, model } = subject.right
    const traced = trace(model)
    if (traced._tag === 'Left') return traced
    const input = sampleInput(model.input, batch) as never
    const contenders: Contender[] = []
    for (const backend of found.right) {
      const kernels: KernelTimes = new Map()
      const program = await compile(model, { backend: profile ? profiled(backend, kernels) : backend, weights: seededWeights(traced.right, 0) })()
      if (program._tag === 'Left') return program
      contenders.push({ backend: backend.name, run: program.right.run(input), dispose: () => program.right.dispose(), times: [], kernels })
    }
    // In turn, so that what else the machine does falls on all alike.
    for (let i = -warmUps; i < runs; i++)
      for (const { run, times } of contenders) {
        const began = performance.now()
        const ran = await run()
        if (ran._tag === 'Left') return ran
        if (i >= 0) times.push(performance.now() - began)
      }
    for (const { dispose } of contenders) dispose()
    const results = contenders.map(({ backend, times, kernels }) => {
      const medianMs = median(times)
      return { id, backend, batch, runs, medianMs, minMs: Math.min(...times), imagesPerSecond: (1000 * batch) / medianMs, ...(profile ? { kernels: shares(kernels, batch) } : {}) }
    })
    if (json) {
      print(JSON.stringify(results, null, 2))
      return right(0)
    }
    print(`${colours.bold(id)}  batch ${batch}, ${runs} runs in turn, random weights\n`)
    print(table([{ title: 'backend' }, { title: 'median', align: 'right' }, { title: 'fastest', align: 'right' }, { title: 'images/s', align: 'right' }], results.map(({ backend, medianMs, minMs, imagesPerSecond }) => [backend, format.duration(medianMs), format.duration(minMs), imagesPerSecond.toFixed(1)]), colours))
    for (const { backend, kernels = [] } of results) if (profile) print(`\n${colours.bold(backend)}, kernel by kernel, the shortest of all runs\n\n${kernelTable(kernels, colours)}`)
    return right(0)
  },
}

/** So many lines say where the time goes. */
const shown = 30

const kernelTable = (kernels: readonly KernelShare[], colours: Colours): string =>
  table(
    [{ title: 'op' }, { title: 'of' }, { title: 'calls', align: 'right' }, { title: 'time', align: 'right' }, { title: 'share', align: 'right' }, { title: 'GFLOP/s', align: 'right' }],
    kernels.slice(0, shown).map(({ op, shapes, calls, ms, share, gflops }) => [op, shapes, String(calls), format.duration(ms), `${(100 * share).toFixed(1)} %`, gflops === 0 ? '' : gflops.toFixed(1)]),
    colours,
  )

const median = (times: readonly number[]): number => {
  const sorted = [...times].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
