import { showProblem } from '../../shape/problem.js'
import type { ReportedModel } from './report.js'

/**
 * A report as workflow commands of GitHub Actions, one a failure: each becomes an annotation, on the line of the layer
 * where that is known.
 *
 * @example
 * github([]) // ''
 */
export const github = (models: readonly ReportedModel[]): string =>
  models
    .flatMap(({ id, failures, problem }) =>
      problem !== undefined && failures.length === 0
        ? [command({ title: id }, showProblem(problem))]
        : failures.map(({ law, title, part, evidence, meaning, file, line, smallest }) =>
            command({ ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }), title: `vitrail ${law}: ${title}` }, [`${id}, ${part}: ${evidence}`, meaning, ...(smallest === undefined ? [] : ['', smallest.source])].join('\n')),
          ),
    )
    .join('\n')

/** Properties and messages are escaped differently (actions/toolkit, `command.ts`). */
const command = (properties: Readonly<Record<string, string | number>>, message: string): string => {
  const told = Object.entries(properties).map(([key, value]) => `${key}=${data(String(value)).replace(/:/g, '%3A').replace(/,/g, '%2C')}`)
  return `::error ${told.join(',')}::${data(message)}`
}
const data = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
