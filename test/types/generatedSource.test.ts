import { describe, expect, it } from 'vitest'
import { shapeOf, type AnyModel, type Model, type SignalShape } from '../../src/index.js'
import { choicesOf } from '../../src/testing/arbitraries/choices.js'
import { grow } from '../../src/testing/arbitraries/grow.js'
import { toSource } from '../../src/testing/source/toSource.js'
import { published } from '../testing/published.js'
import { compile, scratch, showDiagnostic, versions } from './compile.js'

/** Every seventh published model, and random ones. */
const models: readonly (readonly [string, AnyModel])[] = [
  ...published.filter((_, i) => i % 7 === 0),
  ...Array.from({ length: 20 }, (_, i) => [`random${i}`, grow(choicesOf(300 + i), { depth: 8 })] as const),
]

const typed = (m: AnyModel): string => {
  const found = shapeOf(m as unknown as Model<unknown, SignalShape>)
  return found._tag === 'Right' && Array.isArray(found.right) ? `export const shape: OutputOf<typeof model> = [${found.right.join(', ')}]\n` : ''
}

describe.each(versions)('the source of a model, under TypeScript %s', version => {
  it('is a file that compiles as it stands, to a model of the same shape', async () => {
    const files = scratch('source', Object.fromEntries(models.map(([name, m]) => [`${name}.ts`, `${toSource(m)}${typed(m) === '' ? '' : `import type { OutputOf } from 'vitrail'\n${typed(m)}`}`])))
    const { diagnostics } = await compile(version, files)
    expect(diagnostics.map(showDiagnostic)).toEqual([])
  })
})
