// Writes recipes/fingerprints.json: npm run fingerprints [-- GOLDEN]
//
// To be run only where the recordings pass, since what the recipes compute now is what they are held to from then on.
// Each small model is computed a second time by the oracles, which must agree. Where GOLDEN, a folder with the state
// dicts of the reference implementations (keys/ID.json) and their counts (models.json), is given, so must the names,
// shapes and counts of every model that is in it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createJiti } from 'jiti'

const jiti = createJiti(import.meta.url)
const { recipes } = await jiti.import('../../recipes/index.ts')
const { trace } = await jiti.import('../../src/graph/trace.ts')
const { fingerprint } = await jiti.import('../../src/testing/fingerprints/fingerprint.ts')
const { formulaInput, formulaValues } = await jiti.import('../../src/testing/fingerprints/formulaValues.ts')
const { runOracle } = await jiti.import('../../src/testing/oracles/runOracle.ts')

const valueOf = result => {
  if (result._tag === 'Left') throw new Error(`${result.left.path}: ${result.left.sentence}`)
  return result.right
}
const golden = process.argv[2]

/** Fails unless a recipe has just the weights of the reference implementation. Tables, masks and counters are no weights. */
const matchGolden = (id, recipe) => {
  const keys = golden === undefined ? '' : join(golden, 'keys', `${id}.json`)
  if (!existsSync(keys)) return false
  const theirs = JSON.parse(readFileSync(keys, 'utf8')).state.filter(([name, , kind]) => kind === 'P' || name.includes('.running_')).map(([name, shape, kind]) => `${name} ${shape.join('×')} ${kind === 'P' ? '' : 'buffer'}`)
  const ours = valueOf(trace(recipe.model)).parameters.map(({ attributes: { name, role }, shape }) => `${name} ${shape.join('×')} ${role === 'buffer' ? role : ''}`)
  const differs = [...theirs.filter(line => !ours.includes(line)).map(line => `- ${line}`), ...ours.filter(line => !theirs.includes(line)).map(line => `+ ${line}`)]
  if (differs.length > 0) throw new Error(`${id} is not as published:\n${differs.slice(0, 20).join('\n')}`)
  const { params } = JSON.parse(readFileSync(join(golden, 'models.json'), 'utf8')).models.find(({ name }) => name === id)
  const total = valueOf(trace(recipe.model)).parameters.filter(p => p.attributes.role !== 'buffer').reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0)
  if (params !== total) throw new Error(`${id} has ${total} parameters, published are ${params}`)
  return true
}

/** Fails unless the oracles give the same output. */
const matchOracles = (id, recipe, { reduced, output }) => {
  const { model } = recipe.withConfig(reduced)
  const weights = new Map(valueOf(trace(model)).parameters.map(({ attributes: { name }, shape }) => [name, formulaValues(name, shape)]))
  const flat = values => (values.data instanceof Float64Array ? [...values.data] : Object.values(values).flatMap(flat))
  const data = flat(valueOf(runOracle(model, weights, formulaInput(model.input))).output)
  const distance = output.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i])), data.length === output.length ? 0 : Infinity)
  if (!(distance < 1e-6)) throw new Error(`${id}: the oracles compute something else, by ${distance}`)
}

const small = {}
const known = {}
let matched = 0
for (const [id, recipe] of Object.entries(recipes)) {
  matched += matchGolden(id, recipe)
  const { config, tensors, parameters, names, ...made } = valueOf(fingerprint(recipe))
  const told = JSON.stringify(made)
  const seen = Object.keys(small).find(name => JSON.stringify(small[name]) === told)
  if (seen === undefined) {
    matchOracles(id, recipe, made)
    small[id] = made
  }
  known[id] = { config, tensors, parameters, names, small: seen ?? id }
}

const lines = record => Object.entries(record).map(([name, value]) => `    ${JSON.stringify(name)}: ${JSON.stringify(value)}`).join(',\n')
writeFileSync(new URL('../../recipes/fingerprints.json', import.meta.url), `{\n  "recipes": {\n${lines(known)}\n  },\n  "small": {\n${lines(small)}\n  }\n}\n`)
console.log(`${Object.keys(known).length} recipes, ${Object.keys(small).length} small models, ${matched} matched with the reference implementations' own names`)
