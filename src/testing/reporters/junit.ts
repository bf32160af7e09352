import { showProblem } from '../../shape/problem.js'
import type { ReportedModel } from './report.js'

/**
 * A report as JUnit XML: a suite for each model, a case for each law.
 *
 * @example
 * junit([]).includes('<testsuites') // true
 */
export const junit = (models: readonly ReportedModel[]): string => {
  const suites = models.map(({ id, laws, failures, seconds, problem }) => {
    const cases = problem === undefined || failures.length > 0 ? [...laws, ...failures.filter(f => !laws.some(l => l.law === f.law)).map(f => ({ ...f, kept: 0 }))].map(({ law, title, kept }) => testCase(id, law, title, failures.filter(f => f.law === law || f.also.includes(law)).map(told), kept)) : [testCase(id, 'traces', 'the model can be checked', [showProblem(problem)], 0)]
    const broken = cases.filter(text => text.includes('<failure')).length
    return `  <testsuite name="${escaped(id)}" tests="${cases.length}" failures="${broken}" time="${seconds.toFixed(2)}">\n${cases.join('\n')}\n  </testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="vitrail check">\n${suites.join('\n')}\n</testsuites>`
}

const told = ({ part, evidence, meaning, smallest }: ReportedModel['failures'][number]): string => `${part}: ${evidence}\n${meaning}${smallest === undefined ? '' : `\n\n${smallest.source}`}`

const testCase = (id: string, law: string, title: string, failures: readonly string[], kept: number): string => {
  const open = `    <testcase classname="${escaped(id)}" name="${escaped(`${law}: ${title}`)}"`
  if (failures.length > 0) return `${open}>\n${failures.map(text => `      <failure message="${escaped(text.split('\n')[0]!)}">${escaped(text)}</failure>`).join('\n')}\n    </testcase>`
  return kept === 0 ? `${open}><skipped/></testcase>` : `${open}/>`
}

/** Control characters have no place in XML at all. */
const escaped = (text: string): string => [...text].filter(c => c >= ' ' || c === '\n' || c === '\t').join('').replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
