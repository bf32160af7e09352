import { escaped } from '../training/report/html.js'
import { paretoPicture, type PictureOptions } from './paretoPicture.js'
import type { SearchResult } from './search.js'

/** What a report of a search tells of. */
export interface SearchReported<P> extends PictureOptions {
  readonly title: string
  /** Lines of facts, as `[what, which]`. */
  readonly facts: readonly (readonly [string, string])[]
  readonly result: SearchResult<P>
}

/**
 * A page about a search: the facts, the Pareto picture, and the choices on its front. One HTML file that needs nothing
 * else, and no script.
 *
 * @example
 * searchReport({ title: 'search', facts: [], result: { front: [], scored: [], reason: 'finished', rejected: 0 } }).startsWith('<!doctype html>') // true
 */
export const searchReport = <P>({ title, facts, result, ...picture }: SearchReported<P>): string => {
  const { front, scored, reason, rejected } = result
  const all = [...facts, ['scored', `${scored.length} candidates${reason === 'exhausted' ? ', all there were' : reason === 'aborted' ? ', when it was stopped' : ''}`], ['not scored', `${rejected}, for what they cost`]] as const
  const row = ({ key, params, macs, score, generation }: (typeof front)[number]): string => `<tr><td>${score.toFixed(4)}</td><td>${macs.toLocaleString('en-US')}</td><td>${params.toLocaleString('en-US')}</td><td>${generation}</td><td class="key">${escaped(key)}</td></tr>`
  const sections = [
    `<h1>${escaped(title)}</h1>`,
    `<dl>${all.map(([what, which]) => `<dt>${escaped(what)}</dt><dd>${escaped(which)}</dd>`).join('')}</dl>`,
    paretoPicture(scored, picture),
    `<h2>Than which nothing is cheaper and as good</h2><table><thead><tr><th>score</th><th>multiply-adds</th><th>parameters</th><th>generation</th><th>choice</th></tr></thead><tbody>${[...front].reverse().map(row).join('')}</tbody></table>`,
  ]
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style></head>\n<body>${sections.join('\n')}</body></html>\n`
}

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2rem auto;padding:0 1rem;color:#1a202c}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#718096}dd{margin:0}svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.15rem .6rem;text-align:right;font-weight:normal}thead th{color:#718096}.key{text-align:left;font:12px ui-monospace,monospace;overflow-wrap:anywhere}`
