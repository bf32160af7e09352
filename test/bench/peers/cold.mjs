// Child process of `npm run bench:peers`: one contender, one model, nothing in memory before. Sends the milliseconds of
// each step to the first result, and the most memory the process ever held, a second run included.
import { contenders } from './contenders.mjs'
import { pixelsFor } from './models.mjs'

const { id, shape, threads, name } = JSON.parse(process.argv[2])
const c = contenders.find(one => one.name === name)
const images = pixelsFor(shape, 1)
const began = performance.now()
const engine = await c.import()
const imported = performance.now()
const { feed = x => x, run } = await c.load(engine, { id, threads })
const ready = performance.now()
await run(feed(images))
const first = performance.now()
await run(feed(images))
process.send({ name, importMs: imported - began, loadMs: ready - imported, firstMs: first - ready, totalMs: first - began, peakBytes: process.resourceUsage().maxRSS * 1024 }, () => process.exit(0))
