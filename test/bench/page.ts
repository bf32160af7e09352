/** One engine at one batch size and number of threads. */
export interface Cell {
  readonly name: string
  readonly batch: number
  readonly threads: number
  /** Milliseconds of each measured run. */
  readonly times?: readonly number[]
  /** The most an output differed from the first engine's, as a share of the largest output. */
  readonly difference?: number
  /** It did not run, since a run would have taken about as many milliseconds. */
  readonly skipped?: number
}

/** A first result in a process of its own; the medians of several such. */
export interface Cold {
  readonly name: string
  readonly importMs: number
  readonly loadMs: number
  readonly firstMs: number
  readonly totalMs: number
  readonly peakBytes: number
}

/** All that a run of `npm run bench:peers` measured of one model. */
export interface ModelResults {
  readonly title: string
  /** Of one image. */
  readonly multiplyAdds: number
  readonly weightBytes: number
  readonly cells: readonly Cell[]
  readonly cold: readonly Cold[]
}

/** All that a run of `npm run bench:peers` measured. */
export interface Results {
  readonly runtime: string
  readonly about: readonly (readonly [what: string, is: string])[]
  /** The first is what the others are compared with. */
  readonly engines: readonly { readonly name: string; readonly about: string }[]
  /** The engines of the summary. */
  readonly summarised: readonly string[]
  readonly models: readonly ModelResults[]
  readonly missing: readonly { readonly about: string; readonly why: string }[]
}

/** The middle of some numbers; of an even count, the mean of the two in the middle. */
export const median = (times: readonly number[]): number => {
  const sorted = [...times].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Past this difference, as a share of the largest output, an engine computes something else. */
const tolerance = 1e-4

/**
 * What is wrong with the outputs of a model: engines that compute something else, and settings in which the main engine gave
 * nothing to compare the others with.
 *
 * @param main the name of that engine, if it was to run
 */
export const disagreements = ({ title, cells }: ModelResults, main: string | undefined): readonly string[] => {
  const ran = cells.filter(c => c.times !== undefined)
  if (ran.length === 0) return [`${title}: nobody ran`]
  const differing = ran.filter(c => !((c.difference ?? Infinity) <= tolerance)).map(c => `${title}, batch ${c.batch}: ${c.name} differs by ${(c.difference ?? Infinity).toExponential(1)} of the largest output`)
  const without = main === undefined ? [] : settingsOf(ran).filter(({ batch, threads }) => !ran.some(c => c.name === main && c.batch === batch && c.threads === threads))
  return [...differing, ...without.map(({ batch, threads }) => `${title}, batch ${batch}, ${counted(threads, 'thread')}: ${main} did not run, so that nobody was compared with it`)]
}

/** Why an engine failed, in one line that tells nothing of the machine's folders. */
export const reasonOf = (message: string): string => {
  const absent = /Cannot find (?:package|module) '([^']+)'/.exec(message)
  return absent === null ? message.split('\n')[0]!.replace(/(?:file:\/\/)?(?:[A-Za-z]:)?[\\/][^\s'")]*[\\/]/g, '') : `${absent[1]!} is not installed`
}

/** Rows and columns of text; cells of all columns but the first are set to the right. */
export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** A table in Markdown. */
export const markdownTable = ({ head, rows }: Table): string => [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

const duration = (ms: number): string => (ms < 10 ? ms.toFixed(1) : Math.round(ms).toLocaleString('en'))
const times = (ratio: number): string => `${ratio.toFixed(ratio < 9.95 ? 2 : 0)}×`
const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

const cellText = ({ times: runs, skipped }: Cell, base: Cell | undefined, usual: number): string => {
  if (runs === undefined) return `over ${duration((skipped ?? 0) / 2000)} s`
  const ratio = base?.times === undefined || base.times === runs ? '' : ` · ${times(median(runs) / median(base.times))}`
  return `${duration(median(runs))}${ratio}${runs.length < usual ? ` (${counted(runs.length, 'run')})` : ''}`
}

const settingsOf = (cells: readonly Cell[]): readonly Pick<Cell, 'batch' | 'threads'>[] =>
  [...new Set(cells.map(c => `${c.batch} ${c.threads}`))].map(key => key.split(' ').map(Number)).sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!).map(([batch, threads]) => ({ batch: batch!, threads: threads! }))

/** Milliseconds of every engine, and how many times those of the first one they are. */
export const speedTable = ({ cells }: ModelResults, { engines }: Pick<Results, 'engines'>): Table => {
  const settings = settingsOf(cells)
  const [first] = engines
  const usual = Math.max(...cells.map(c => c.times?.length ?? 0))
  const find = (name: string | undefined, { batch, threads }: Pick<Cell, 'batch' | 'threads'>): Cell | undefined => cells.find(c => c.name === name && c.batch === batch && c.threads === threads)
  const rows = engines.filter(({ name }) => cells.some(c => c.name === name)).map(({ name, about }) => {
    const differences = cells.flatMap(c => (c.name === name && c.difference !== undefined ? [c.difference] : []))
    const shown = settings.map(setting => {
      const cell = find(name, setting)
      return cell === undefined ? '–' : cellText(cell, find(first?.name, setting), usual)
    })
    return [about, ...shown, name === first?.name || differences.length === 0 ? '–' : Math.max(...differences).toExponential(0)]
  })
  return { head: ['ms · ratio', ...settings.map(({ batch, threads }) => `batch ${batch}, ${counted(threads, 'thread')}`), 'difference'], rows }
}

/** How long the first result takes in a process of its own, and the memory it takes. */
export const coldTable = ({ cold, weightBytes }: ModelResults, { engines }: Pick<Results, 'engines'>): Table => ({
  head: ['first result, ms', 'import', 'load and plan', 'first run', 'together', 'peak memory, MB', 'of the weights'],
  rows: engines.flatMap(({ name, about }) => cold.filter(c => c.name === name).map(c => [about, duration(c.importMs), duration(c.loadMs), duration(c.firstMs), duration(c.totalMs), String(Math.round(c.peakBytes / 1e6)), times(c.peakBytes / weightBytes)])),
})

/** Times faster than `others` and with more threads, for every model and setting of the first engine. */
export const summaryTable = ({ engines: [first], models }: Pick<Results, 'engines' | 'models'>, others: Results['engines']): Table => ({
  head: ['how many times faster', ...others.map(({ about }) => `than ${about}`), 'than with one thread'],
  rows: models.flatMap(({ title, cells }) =>
    settingsOf(cells).map(({ batch, threads }) => {
      const own = cells.find(c => c.name === first?.name && c.batch === batch && c.threads === threads)
      // An engine that cannot use more threads is compared as it is.
      const than = (name: string | undefined, most: number): string => {
        const cell = [...cells].sort((a, b) => b.threads - a.threads).find(c => c.name === name && c.batch === batch && c.threads <= most && c !== own)
        return own?.times === undefined || cell?.times === undefined ? '–' : times(median(cell.times) / median(own.times))
      }
      return [`${title}, batch ${batch}, ${counted(threads, 'thread')}`, ...others.map(({ name }) => than(name, threads)), than(first?.name, 1)]
    }),
  ),
})

/** The section of a page that tells of one run. Its heading names the runtime. */
export const section = (results: Results): string => {
  const models = results.models.flatMap(model => [
    `### ${model.title}`,
    `${(model.multiplyAdds / 1e9).toFixed(2)} G multiply-adds an image, ${Math.round(model.weightBytes / 1e6)} MB of weights.`,
    markdownTable(speedTable(model, results)),
    ...(model.cold.length === 0 ? [] : [markdownTable(coldTable(model, results))]),
  ])
  const missing = results.missing.length === 0 ? [] : [`Did not run: ${results.missing.map(({ about, why }) => `${about} (${why})`).join('; ')}.`]
  const summary = results.summarised.length === 0 ? [] : [markdownTable(summaryTable(results, results.engines.filter(({ name }) => results.summarised.includes(name))))]
  return [`## ${results.runtime}`, markdownTable({ head: ['what', 'is'], rows: results.about }).replace('--:', '---'), ...summary, ...models, ...missing].join('\n\n')
}

/** A page with a section put in place of the one under the same heading, or at its end. */
export const withSection = (page: string, made: string): string => {
  const [before, ...sections] = page.trimEnd().split(/\n+(?=## )/)
  const heading = made.split('\n', 1)[0]!
  const at = sections.findIndex(old => old.split('\n', 1)[0] === heading)
  const kept = at < 0 ? [...sections, made] : sections.with(at, made)
  return `${[before!, ...kept].join('\n\n')}\n`
}
