// What the types cost their users: npm run bench:types [-- --json]
//
// Instantiations, types, memory and time of the compiler for each family of recipes, for all of them, and for the
// programs whose budgets test/types/budgets.ts sets, under every version of TypeScript that is promised to work. The
// same budgets are tests. Ends with 1 where one is passed.
import { createJiti } from 'jiti'
import picocolors from 'picocolors'

const jiti = createJiti(import.meta.url)
const { budgets, families, familyProgram, programs } = await jiti.import('../types/budgets.ts')
const { compile, scratch, versions } = await jiti.import('../types/compile.ts')
const { table } = await jiti.import('../../src/cli/parts/table.ts')

const unknown = process.argv.slice(2).find(argument => argument !== '--json')
if (unknown !== undefined) {
  console.error(`bench:types: there is no '${unknown}'; it takes --json alone`)
  process.exit(2)
}
const json = process.argv.includes('--json')

const all = { ...programs, ...Object.fromEntries(families.map(family => [`recipes-${family}.ts`, familyProgram(family)])) }
const files = scratch('bench', all)
const [results, passed, failed] = [[], [], []]
for (const version of versions) {
  for (const [i, name] of Object.keys(all).entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[KTypeScript ${version}: ${name}`)
    const { diagnostics, instantiations, types, memoryBytes, checkSeconds, totalSeconds } = await compile(version, [files[i]], ['--noEmit', '--extendedDiagnostics'])
    if (diagnostics.length > 0) failed.push(`${name} does not compile under TypeScript ${version}: ${diagnostics[0].message}`)
    results.push({ version, name, instantiations, types, memoryBytes, checkSeconds, totalSeconds })
  }
  const costs = Object.fromEntries(results.filter(r => r.version === version).map(r => [r.name, r.instantiations]))
  for (const { says, cost, below } of budgets) {
    const is = cost(costs)
    passed.push({ version, says, is, below })
    if (!(is < below)) failed.push(`TypeScript ${version}: ${says}: ${is}, not below ${below}`)
  }
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')

const whole = value => Math.round(value).toLocaleString('en')
const columns = titles => titles.map((title, i) => ({ title, align: i < 2 ? 'left' : 'right' }))
if (json) console.log(JSON.stringify({ programs: results, budgets: passed, failed }, null, 2))
else {
  console.log(`${table(columns(['TypeScript', 'program', 'instantiations', 'types', 'memory, MB', 'check, s', 'all, s']), results.map(r => [r.version, r.name, whole(r.instantiations), whole(r.types), whole(r.memoryBytes / 1e6), r.checkSeconds.toFixed(2), r.totalSeconds.toFixed(2)]), picocolors)}\n`)
  console.log(table(columns(['TypeScript', 'budget', 'is', 'below']), passed.map(({ version, says, is, below }) => [version, says, below < 10 ? is.toFixed(3) : whole(is), below < 10 ? String(below) : whole(below)]), picocolors))
}
for (const line of failed) console.error(`bench:types: ${line}`)
process.exit(failed.length === 0 ? 0 : 1)
