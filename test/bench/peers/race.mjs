// Child process of `npm run bench:peers`: one model, one number of threads. Everyone runs in turn on the same images,
// so that what else the machine does falls on all alike, and every output is compared. Messages: `{ at }` as it goes
// on, `{ cells, rates, failed }` at the end.
import { setTimeout as pause } from 'node:timers/promises'
import { createJiti } from 'jiti'
import { contenders } from './contenders.mjs'
import { pixelsFor } from './models.mjs'

const { differenceOf } = await createJiti(import.meta.url).import('../differenceOf.ts')
const { id, shape, multiplyAdds, threads, batches, rounds, seconds, longest, names, rates } = JSON.parse(process.argv[2])

const loaded = []
const failed = {}
for (const c of contenders.filter(({ name }) => names.includes(name))) {
  process.send({ at: `loading ${c.about}` })
  try {
    loaded.push({ ...c, ...(await c.load(await c.import(), { id, threads })) })
  } catch (fault) {
    failed[c.name] = fault.message
  }
}

const timed = async (c, images) => {
  // ONNX Runtime's threads look for work for 20 to 45 ms after they are done, on cores that the next one wants.
  await pause(100)
  const start = performance.now()
  const values = await c.run(images)
  return { values, ms: performance.now() - start }
}

const cells = []
for (const batch of batches) {
  const images = pixelsFor(shape, batch)
  const runners = []
  let first
  for (const c of loaded) {
    const expected = (rates[c.name] ?? 0) * multiplyAdds * batch
    if (expected > (c.longest ?? longest) * 1000) {
      cells.push({ name: c.name, batch, threads, skipped: expected })
      continue
    }
    process.send({ at: `batch ${batch}: ${c.about} warms up` })
    try {
      const fed = c.feed?.(images) ?? images
      let { values, ms } = await timed(c, fed)
      // The first is compared with itself, in this run and in all others.
      first ??= values
      const difference = differenceOf(values, first)
      if (ms < 2000) ({ ms } = await timed(c, fed))
      rates[c.name] = Math.max(rates[c.name] ?? 0, ms / multiplyAdds / batch)
      const share = c.isMain ? seconds : seconds / 3
      // Where one run is all there is time for, it is the first.
      const count = Math.max(c.isMain ? 5 : 0, Math.min(rounds, Math.floor((share * 1000) / ms)))
      runners.push({ c, fed, count, difference, times: count === 0 ? [ms] : [] })
    } catch (fault) {
      failed[c.name] = fault.message
    }
  }
  for (let round = 0; round < rounds; round++) {
    process.send({ at: `batch ${batch}: round ${round + 1} of ${rounds}` })
    for (const r of round % 2 === 0 ? runners : [...runners].reverse()) {
      if (round >= r.count) continue
      const { values, ms } = await timed(r.c, r.fed)
      r.times.push(ms)
      r.difference = Math.max(r.difference, differenceOf(values, first))
    }
  }
  cells.push(...runners.map(({ c, difference, times }) => ({ name: c.name, batch, threads, times, difference })))
}
for (const c of loaded) await c.close()
process.send({ cells, rates, failed }, () => process.exit(0))
