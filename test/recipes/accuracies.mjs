// How many of the 10,000 held-out images of Fashion-MNIST each embedded classifier gets right: npm run accuracies [-- FOLDER]
//
// Fails where it is not what the weight file and its card say. FOLDER holds the four files of the data set; without it, those
// of Debian's package dataset-fashion-mnist are read.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const [folder = '/usr/share/datasets/fashion-mnist'] = process.argv.slice(2)
const [images, labels] = ['t10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'].map(file => join(folder, file))
const missing = [images, labels].find(file => !existsSync(file))
if (missing !== undefined) {
  console.error(`${missing} is not there: apt-get install dataset-fashion-mnist, or name the folder with the files of Fashion-MNIST`)
  process.exit(2)
}

const percent = share => `${(100 * share).toFixed(2)} %`
/** A sum in another order may turn an image that is on the edge. */
const tolerance = 2e-4
let isTrue = true
for (const file of readdirSync(`${root}recipes/weights`).filter(name => name.endsWith('.safetensors'))) {
  const id = file.replace('.safetensors', '')
  const bytes = readFileSync(`${root}recipes/weights/${file}`)
  const { accuracy: stated } = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()).__metadata__
  if (stated === undefined) continue
  const { status, stdout } = spawnSync(process.execPath, [`${root}dist/bundle/cli.js`, 'eval', id, '--data', images, '--labels', labels, '--json'], { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' })
  if (status !== 0) process.exit(status ?? 1) // it has said why
  const { accuracy, interval } = JSON.parse(stdout)
  const card = readFileSync(`${root}recipes/weights/${id}.md`, 'utf8')
  const agrees = Math.abs(accuracy - Number(stated)) < tolerance && card.includes(`**${percent(Number(stated))}**`)
  isTrue &&= agrees
  console.log(`${id.padEnd(28)} ${percent(accuracy)}  (95 % interval ${percent(interval[0])} to ${percent(interval[1])})  ${agrees ? 'as stated' : `but ${percent(Number(stated))} is stated`}`)
}
process.exit(isTrue ? 0 : 1)
