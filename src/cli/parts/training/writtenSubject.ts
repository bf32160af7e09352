import { print } from '../../../graph/print.js'
import { trace } from '../../../graph/trace.js'
import type { AnyModel } from '../../../layers/core/model.js'
import type { WrittenRecipe } from '../../../training/config/defineTraining.js'
import { describedSubject } from '../describedSubject.js'
import type { Description, Subject } from '../subject.js'

/**
 * A recipe that a TypeScript configuration imports. It has a description only where that builds this very model:
 * `{ ...recipe, model: another }` has none.
 */
export const writtenSubject = ({ family, model, preprocessing, forms, pretexts, config }: WrittenRecipe): Subject => {
  const subject = { id: family, model, preprocessing, ...(forms === undefined ? {} : { forms }), ...(pretexts === undefined ? {} : { pretexts }) }
  if (config === undefined) return subject
  const description = { recipe: family, config: JSON.parse(JSON.stringify(config)) as Description['config'] }
  const rebuilt = describedSubject(family, description)
  return rebuilt._tag === 'Right' && printed(rebuilt.right.model) === printed(model) ? { ...subject, description } : subject
}

const printed = (model: AnyModel): string | undefined => {
  const graph = trace(model)
  return graph._tag === 'Right' ? print([graph.right.output]) : undefined
}
