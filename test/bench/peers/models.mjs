// The models of the benchmark, and their files: weights by formula, the same for every contender, as safetensors and
// as ONNX, in a folder that git ignores.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** What is compared: a title, and the id of the recipe. */
export const models = {
  'vit-ti': { title: 'ViT-Ti/16', id: 'vit_tiny_patch16_224' },
  'vit-s': { title: 'ViT-S/16', id: 'vit_small_patch16_224' },
  'vit-b': { title: 'ViT-B/16', id: 'vit_base_patch16_224' },
  'swin-t': { title: 'Swin-T', id: 'swin_tiny_patch4_window7_224' },
}

/** Where peers are installed and files kept. */
export const folder = fileURLToPath(new URL('../../../.vitrail/bench/', import.meta.url))
export const weightsFile = id => join(folder, `${id}.safetensors`)
export const onnxFile = id => join(folder, `${id}.onnx`)

/** Imports one of the packages that are installed for the benchmark alone, by way of a file that stands beside them. */
export const importPeer = async name => {
  const imported = await (await import(pathToFileURL(join(folder, 'peers/load.mjs')).href)).load(name)
  return imported.default ?? imported
}

/** `{ shape, values }` by name, read without any library. */
export const readWeights = id => {
  const file = readFileSync(weightsFile(id))
  const begin = 8 + Number(file.readBigUInt64LE(0))
  const entries = Object.entries(JSON.parse(file.toString('utf8', 8, begin))).filter(([name]) => name !== '__metadata__')
  return new Map(entries.map(([name, { shape, data_offsets: [from, to] }]) => [name, { shape, values: new Float32Array(file.buffer.slice(file.byteOffset + begin + from, file.byteOffset + begin + to)) }]))
}

/** A wave, whose values every language and library can be given. */
export const pixelsFor = (shape, batch) => Float32Array.from({ length: batch * shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * 0.37))

const written = (path, bytes) => {
  // A run that is stopped leaves no half of a file behind.
  writeFileSync(`${path}.part`, bytes)
  renameSync(`${path}.part`, path)
}

/** Size of a parameter's values: such that signals neither vanish nor explode; norms near one. */
const spreadOf = ({ attributes: { name }, shape }) => {
  if (/norm\d?\.weight$/.test(name)) return [1, 0.2]
  return shape.length > 1 && !/token|pos|table/.test(name) ? [0, Math.sqrt(3 / shape.slice(1).reduce((a, b) => a * b))] : [0, 0.3]
}

/** Makes a model's files, anew at each run: recipes and the writer may have changed. */
export const prepare = async (id, withOnnx) => {
  mkdirSync(folder, { recursive: true })
  const { encodeSafetensors, parametersOf, trace } = await import('vitrail')
  const { recipes } = await import('vitrail/recipes')
  const { formulaWeights } = await import('../../../dist/src/weights/formulaWeights.js')
  const graph = trace(recipes[id].model).right
  const parameters = parametersOf(graph).map(p => ({ name: p.attributes.name, shape: p.shape, data: formulaWeights(p.attributes.name, p.shape, ...spreadOf(p), 'bench') }))
  const encoded = encodeSafetensors(parameters)
  if (encoded._tag === 'Left') throw new Error(encoded.left.sentence)
  written(weightsFile(id), encoded.right)
  if (!withOnnx) return
  const { onnxModel } = await import('./onnxModel.mjs')
  written(onnxFile(id), onnxModel(await importPeer('protobufjs'), graph, new Map(parameters.map(({ name, data }) => [name, data]))))
}
