import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Evaluated } from '../evaluate/evaluate.js'
import type { Reconstruction } from '../evaluate/reconstructions.js'
import { wilson } from '../evaluate/wilson.js'
import type { Metric } from '../metrics/metric.js'
import { confusionTable } from './confusionTable.js'
import { curves } from './curves.js'
import { exampleCards } from './exampleCards.js'
import { escaped, percent } from './html.js'
import { reconstructionCards } from './reconstructionCards.js'

/** What a report tells of. */
export interface Reported {
  readonly title: string
  /** Lines of facts, as `[what, which]`. */
  readonly facts: readonly (readonly [string, string])[]
  /** The lines of `metrics.jsonl`; none for a model that was only evaluated. */
  readonly metrics: readonly Metric[]
  readonly evaluation?: Evaluated
  /** What the model makes of images, where that is what it learned. */
  readonly reconstructions?: readonly Reconstruction[]
}

/**
 * A page about a training or an evaluation: curves (drawn with uPlot, which is inside the page), the confusion matrix,
 * samples with what they are taken for, and where the model looks. One HTML file that needs nothing else, and no network.
 * Node only.
 *
 * Errors: `uplotMissing`.
 *
 * @example
 * await report({ title: 'run', facts: [], metrics: [] }) // Either<Problem, string>
 */
export const report = async ({ title, facts, metrics, evaluation, reconstructions = [] }: Reported): Promise<Either<Problem, string>> => {
  const { deflateSync } = await import('node:zlib')
  const plots = metrics.length === 0 ? right({ script: '', css: '' }) : await uplot()
  if (plots._tag === 'Left') return plots
  const all = [...facts, ...(evaluation === undefined ? [] : scores(evaluation))]
  const sections = [
    `<h1>${escaped(title)}</h1>`,
    `<dl>${all.map(([what, which]) => `<dt>${escaped(what)}</dt><dd>${escaped(which)}</dd>`).join('')}</dl>`,
    ...(metrics.length === 0 ? [] : ['<h2>Curves</h2><div id="curves"></div><noscript>The curves are drawn by a script in this page; the numbers are in metrics.jsonl.</noscript>']),
    ...(evaluation === undefined ? [] : [`<h2>Confusion</h2>${confusionTable(evaluation, evaluation.classes)}`]),
    ...(evaluation === undefined || evaluation.examples.length === 0 ? [] : [`<h2>Samples</h2><p>What samples are, what they are taken for${evaluation.examples.some(e => e.attention !== undefined) ? ', and where the model looks: through all layers (attention rollout), bright is much' : ''}.</p>${exampleCards(evaluation.examples, evaluation.classes, deflateSync)}`]),
    ...(reconstructions.length === 0 ? [] : [`<h2>Reconstructions</h2><p>What the model was shown, what it made of that, and what there was.</p>${reconstructionCards(reconstructions, deflateSync)}`]),
  ]
  const script = metrics.length === 0 ? '' : `<script>${plots.right.script}</script><script>${drawing}\n${curves(metrics)}</script>`
  return right(`<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${plots.right.css}${style}</style></head>\n<body>${sections.join('\n')}${script}</body></html>\n`)
}

const scores = ({ samples, loss, accuracy, top5, classes }: Evaluated): readonly (readonly [string, string])[] => [
  ['samples', `${samples}`],
  ['loss', loss.toFixed(4)],
  ['right', `${percent(accuracy)} (95 % interval ${wilson(Math.round(accuracy * samples), samples).map(percent).join(' to ')})`],
  ...(classes.length > 5 ? [['among the first five', percent(top5)] as const] : []),
]

const uplot = async (): Promise<Either<Problem, { readonly script: string; readonly css: string }>> => {
  try {
    const [{ createRequire }, { readFile }] = await Promise.all([import('node:module'), import('node:fs/promises')])
    const { resolve } = createRequire(import.meta.url)
    const [script, css] = await Promise.all([readFile(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8'), readFile(resolve('uplot/dist/uPlot.min.css'), 'utf8')])
    return right({ script: script.replace(/<\/script/g, '<\\/script').replace(/^\/\*![^]*?\*\//, '/*! uPlot, by Leon Sorokin, MIT licence */'), css })
  } catch {
    return left(problem('uplotMissing', 'the report is drawn by uplot, which is not installed', { remedy: 'npm install uplot' }))
  }
}

const drawing = `const draw = (title, data, series) => {
  const place = document.getElementById('curves')
  const plot = new uPlot({ title, width: Math.min(900, place.clientWidth || 900), height: 260, scales: { x: { time: false } }, series, axes: [{}, { size: 70, values: (_, ticks) => ticks.map(tick => Number(tick.toPrecision(4))) }] }, data, place)
  addEventListener('resize', () => plot.setSize({ width: Math.min(900, place.clientWidth), height: 260 }))
}`

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1a202c}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#718096}dd{margin:0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.15rem .5rem;text-align:right;font-weight:normal}thead th{color:#718096}tbody th{text-align:left}
.wide{overflow-x:auto}.confusion td{min-width:2.2em;text-align:center;border:1px solid #edf2f7}.column{vertical-align:bottom;text-align:center}.column span{writing-mode:vertical-rl;transform:rotate(180deg)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:1rem}figure{margin:0;padding:.6rem;border:1px solid #e2e8f0;border-left:4px solid #2f855a}figure.wrong{border-left-color:#c53030}
.pictures{display:flex;gap:4px}.pictures img{flex:1;min-width:0;max-width:112px;image-rendering:pixelated}ul{list-style:none;padding:0;margin:.3rem 0 0;font-size:13px}li{position:relative;padding:0 .3rem}li span{position:absolute;inset:0 auto 0 0;background:#bee3f8;z-index:-1}li.true{font-weight:600}small{color:#718096;overflow-wrap:anywhere}`
