import { markdownTable, median } from '../page.js'

/** Steps of one engine. */
export interface Way {
  readonly name: string
  readonly threads: number
  /** Milliseconds of each measured step. */
  readonly times: readonly number[]
  /** The loss before each step, the one that warms up among them. */
  readonly losses: readonly number[]
}

/** All steps of one model at one batch size; the first way is what others are compared with. */
export interface Steps {
  readonly model: string
  readonly batch: number
  readonly ways: readonly Way[]
}

/** The memory of steps at one batch size, in bytes. */
export interface StepMemory {
  readonly model: string
  readonly batch: number
  /** Resident, at its peak, of a process of its own. */
  readonly resident: number
  /** Of the heap, at its peak, scratch of kernels included. */
  readonly heap: number
  /** How far the heap reaches. */
  readonly reserved: number
  /** The most that lives at one time: parameters, and intermediate results until their last use. */
  readonly live: number
}

/** Losses are compared for so many steps: the third depends on the gradients of all parameters, twice. */
const comparedSteps = 3

const comparedOf = ({ ways: [first] }: Steps): number => Math.min(comparedSteps, first!.losses.length)

/** The most that the losses of two ways are apart, in as many of those steps as both have done; infinite where a way has none. */
export const lossesApart = (steps: Steps): number => {
  const [first] = steps.ways
  const compared = steps.ways.map(({ losses }) => losses.slice(0, comparedOf(steps)))
  return compared.some(losses => losses.length === 0) ? Infinity : Math.max(...compared.flatMap(losses => losses.map((loss, step) => Math.abs(loss - first!.losses[step]!))))
}

/** How far losses are apart, in words. */
export const lossesSentence = (steps: Steps): string => (steps.ways.length < 2 ? 'Nobody else ran to compare losses with.' : `Losses of ${comparedOf(steps)} steps at most ${lossesApart(steps).toExponential(0)} apart.`)

/** Milliseconds of every way, and how many times those of ours with as many threads, or with one, they are. */
export const stepRows = ({ ways }: Steps): readonly (readonly string[])[] =>
  ways.map(({ name, threads, times }) => {
    const own = ways.filter(way => way.name === ways[0]!.name)
    const ratios = own.filter(way => name === own[0]!.name ? way === own[0] : way.threads === threads || name === 'plain tfjs').map(way => `${(median(times) / median(way.times)).toFixed(2)}×`)
    return [`${name}, ${threads} thread${threads === 1 ? '' : 's'}`, median(times).toFixed(median(times) < 10 ? 1 : 0), Math.min(...times).toFixed(Math.min(...times) < 10 ? 1 : 0), ratios.join(' and '), String(times.length)]
  })

const head = ['training step', 'ms, median', 'least', 'times ours', 'steps']
const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

/** What the page says of one run of `npm run bench:train`. Its heading names the runtime. */
export const trainingSection = ({ runtime, about, steps, memory }: { readonly runtime: string; readonly about: readonly (readonly string[])[]; readonly steps: readonly Steps[]; readonly memory: readonly StepMemory[] }): string =>
  [
    `## Training step, ${runtime}`,
    'Forward, backward and Adam, by `npm run bench:train`. `plain tfjs` is a ViT by hand with `tf.train.adam`, which Node gives one thread. All begin with the same weights and see the same batch; the benchmark fails where losses differ.',
    markdownTable({ head: ['what', 'is'], rows: about }).replace('--:', '---'),
    ...steps.flatMap(some => [`### ${some.model}, ${some.batch} images a step`, lossesSentence(some), markdownTable({ head, rows: stepRows(some) })]),
    ...(memory.length === 0 ? [] : ['### Memory of training', markdownTable({ head: ['model', 'images a step', 'resident at its peak', 'heap at its peak', 'live at one time, at most', 'heap to live'], rows: memory.map(m => [m.model, String(m.batch), megabytes(m.resident), megabytes(m.heap), megabytes(m.live), (m.heap / m.live).toFixed(3)]) })]),
  ].join('\n\n')
