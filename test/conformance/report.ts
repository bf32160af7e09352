import type { Lowered, Verdict } from './lowerings.js'
import { limits } from './measure.js'
import { pasted, type Finding, type Side, type Surveyed } from './survey.js'

/** All that was measured. */
export interface Results {
  readonly version: string
  /** tfjs itself, by backend; every backend with all subjects. */
  readonly tfjs: Readonly<Record<string, readonly Surveyed[]>>
  readonly lowered: readonly Lowered[]
}

const power = (error: number): string => (error === 0 ? 'exact' : error < 1e-9 ? '<1e-9' : error.toExponential(0))

const words: Readonly<Record<Finding['kind'], string>> = { wrong: '**wrong**', throws: 'throws', 'no kernel': 'no kernel', 'no gradient': 'no gradient', corrupts: '**damages memory**', crashes: '**damages memory**' }

const cell = (side: Side | undefined): string => {
  if (side === undefined) return ''
  if (side.findings.length === 0) return power(side.error)
  return side.findings.map(({ kind, share, outcome }) => `${outcome.kind === 'wrong' && outcome.error < 1e-3 ? `**${power(outcome.error)}**` : words[kind]}${share < side.cases ? ` (${share}/${side.cases})` : ''}`).join(', ')
}

const verdictCell = (verdict: Verdict | undefined): string => (verdict === undefined ? '' : verdict.failure === undefined ? power(verdict.error) : verdict.failure.includes('no kernel') ? 'no kernel' : verdict.failure.includes('is wrong by') ? '**wrong**' : '**throws**')

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => [`| ${head.join(' | ')} |`, `| ${head.map(() => '---').join(' | ')} |`, ...rows.map(row => `| ${row.join(' | ')} |`)].join('\n')

/** The same lines that end alike on several backends are told once. */
interface Told {
  readonly where: string[]
  readonly text: string
}

const told = (name: string, { tfjs }: Results): readonly Told[] => {
  const all: Told[] = []
  for (const [backend, surveyed] of Object.entries(tfjs)) {
    const one = surveyed.find(s => s.name === name)!
    for (const [side, found] of [['values', one.forward], ['gradient', one.gradient]] as const)
      for (const finding of found?.findings ?? []) {
        const text = pasted(finding)
        const where = `${backend}, ${side}${found!.cases === 0 ? '' : ` (${finding.share} of ${found!.cases} cases)`}`
        const known = all.find(t => t.text === text)
        if (known === undefined) all.push({ where: [where], text })
        else known.where.push(where)
      }
  }
  return all
}

const finding = ({ where, text }: Told): string => `On ${where.join('; ')}:\n\n\`\`\`js\n${text}\n\`\`\``

/** The part of the page on the library's own ops. */
export const opsSection = (lowered: readonly Lowered[]): string => {
  const devices = [...new Set(lowered.map(({ device }) => device))]
  const ops = [...new Set(lowered.map(({ op }) => op))]
  const of = (op: string, device: string): Lowered => lowered.find(l => l.op === op && l.device === device)!
  const failures = lowered.flatMap(({ op, device, forward, gradient }) => [forward.failure, gradient?.failure].flatMap(failure => (failure === undefined || failure.includes('no kernel') ? [] : [`- ${op} on ${device}: ${failure}`])))
  return `## The ops of this library

The same for the closed set of ops that models are traced to, through each backend's lowerings, against their definitions; gradients are those of
\`src/graph/gradient\`, against finite differences. "wasm, kernels of tfjs" is what is left of wasm where ours do not load.

${table(['op', ...devices.flatMap(device => [device, `${device}, gradient`])], ops.map(op => [op, ...devices.flatMap(device => [verdictCell(of(op, device).forward), verdictCell(of(op, device).gradient)])]))}

${failures.length === 0 ? 'None of them is wrong anywhere.' : `What is not as it should be:\n\n${[...new Set(failures)].join('\n')}`}

`
}

/** A page with that part of it replaced. */
export const withOps = (page: string, lowered: readonly Lowered[]): string => page.replace(/## The ops of this library\n[\s\S]*?(?=## What disagrees)/, () => opsSection(lowered))

/** The whole page. */
export const report = (results: Results): string => {
  const backends = Object.keys(results.tfjs)
  const names = results.tfjs[backends[0]!]!.map(({ name }) => name)
  const findings = names.flatMap(name => (told(name, results).length === 0 ? [] : [`### ${name}\n\n${told(name, results).map(finding).join('\n\n')}`]))
  return `# What TensorFlow.js computes, operation by operation

Written by \`npm run conformance\`; do not edit. tfjs ${results.version}.

Each operation is called as people call it, on small random and hostile inputs (large offsets and values, zeros, denormals), and compared with a
definition of its own in double precision; its gradient, from \`tf.grads\`, with finite differences of that definition. A cell holds the largest error
relative to the largest element (1 at least), or what is the matter and in how many of the cases. Beyond ${limits.forward.toExponential(0)} a result counts as wrong; float32 alone
stays a hundred times below. webgl and webgpu ran in Chromium on SwiftShader. Every way of failing is shrunk to the smallest case that fails, and told below as lines to paste after

\`\`\`js
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
await tf.setBackend('wasm') // or the backend it says
\`\`\`

## Operations of tfjs

${table(['operation', ...backends.flatMap(backend => [backend, `${backend}, gradient`])], names.map(name => [name, ...backends.flatMap(backend => { const one = results.tfjs[backend]!.find(s => s.name === name)!; return [cell(one.forward), cell(one.gradient)] })]))}

${opsSection(results.lowered)}## What disagrees

${findings.join('\n\n')}
`
}
