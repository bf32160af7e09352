import { showProblem } from '../../../shape/problem.js'
import type { Metric, Scores } from '../../../training/metrics/metric.js'
import type { TrainingEvent, TrainingPlan } from '../../../training/loop/trainingEvent.js'
import { bar as barOf } from '../bar.js'
import { format } from '../format.js'
import type { Terminal } from '../terminal.js'

/** Shows a training as it goes: a bar while someone watches, and a line for each epoch and validation. */
export interface Follower {
  readonly tell: (event: TrainingEvent) => void
  readonly stop: () => void
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** Bytes as a person reads them: `412 MB`. */
export const bytes = (count: number): string => (count >= 1e9 ? `${(count / 1e9).toFixed(2)} GB` : count >= 1e6 ? `${(count / 1e6).toFixed(count >= 1e8 ? 0 : 1)} MB` : `${(count / 1e3).toFixed(0)} kB`)

/** What a training is about to do, in a few lines. */
export const describePlan = ({ backend, parameters, trained, samples, validationSamples, classes, epochs, steps, stepsPerEpoch, from, checkpoint, bytes: held }: TrainingPlan, id: string, batchSize: number): string =>
  [
    `model       ${id}: ${format.count(parameters)} parameters${trained === parameters ? '' : `, ${format.count(trained)} of them trained`}`,
    `data        ${format.count(samples)} samples of ${classes.length} classes${validationSamples === 0 ? ', none to validate on' : `, ${format.count(validationSamples)} more to validate on`}`,
    `steps       ${format.count(steps)}: ${epochs} epochs of ${format.count(stepsPerEpoch)}`,
    `memory      holds ${bytes(held.peak)} on ${backend} at batch ${batchSize}, ${bytes(held.parameters)} of it all the time`,
    ...(checkpoint === undefined ? [] : [`goes on     from step ${format.count(from)} of ${checkpoint}`]),
  ].join('\n')

/** `loss 0.4321, 85.00 % right`; of pairs it is said how many were found. */
const scored = ({ loss, accuracy, retrieval }: Scores): string => `loss ${loss.toFixed(4)}${accuracy === undefined ? '' : `, ${percent(accuracy)} right`}${retrieval === undefined ? '' : `, ${percent(retrieval)} found`}`

const line = (metric: Metric): string => {
  const { epoch, step } = metric
  const place = `epoch ${epoch}, step ${step}`
  if (metric.kind === 'step') return `${place}: loss ${metric.loss.toFixed(4)}`
  if (metric.kind === 'epoch') return `${place}: trained with ${scored(metric)}`
  const average = metric.average === undefined ? '' : `; averaged weights: ${scored(metric.average)}`
  return `${place}: validated with ${scored(metric)}${average}${metric.isBest ? ', the best so far' : ''}`
}

/** How long something takes, for a bar. */
const span = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min` : seconds >= 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds} s`
}

/** Follows a training on a terminal. */
export const follow = async ({ isWatched, print, warn, colours }: Terminal, id: string, batchSize: number): Promise<Follower> => {
  const bar = isWatched ? await barOf('{bar} {value}/{total}  {what}') : undefined
  // A line would tear the bar; it is drawn again below.
  const say = (text: string): void => {
    bar?.stop()
    print(text)
  }
  let plan: TrainingPlan | undefined
  const draw = (step: number, what: string): void => {
    if (bar === undefined || plan === undefined) return
    if (!bar.isActive) bar.start(plan.steps, step, { what })
    else bar.update(step, { what })
  }
  const tell = (event: TrainingEvent): void => {
    switch (event.kind) {
      case 'started':
        plan = event.plan
        return say(`${describePlan(plan, id, batchSize)}\n`)
      case 'warning':
        return warn(`vitrail: ${event.sentence}`)
      case 'skipped':
        bar?.stop()
        return warn(`vitrail: ${showProblem({ code: 'skipped', sentence: `${event.sample.name}: left out: ${event.sample.reason}`, path: '' })}`)
      case 'metric':
        if (event.metric.kind !== 'step') return say(event.metric.kind === 'validation' && event.metric.isBest ? colours.green(line(event.metric)) : line(event.metric))
        return draw(event.metric.step, `loss ${event.metric.loss.toFixed(4)}  ${event.samplesPerSecond.toFixed(0)} images/s  ${span(event.left)} left`)
      case 'validating':
        return bar?.isActive === true ? bar.update({ what: `validating ${event.done}/${event.samples}` }) : undefined
      case 'checkpoint':
        return undefined
    }
  }
  return { tell, stop: () => bar?.stop() }
}
