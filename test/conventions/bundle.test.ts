import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { root } from './sources.js'

const bundle = `${root}dist/bundle`
const files = (readdirSync(bundle, { recursive: true }) as readonly string[]).filter(file => file.endsWith('.js'))
const textOf = (file: string): string => readFileSync(join(bundle, file), 'utf8')
/** The files that a file imports or re-exports from, as written. */
const named = (file: string): readonly string[] => [...textOf(file).matchAll(/^(?:import|export)\b[^'";]*?(?:\bfrom )?"([^"]+)";/gm)].map(([, to]) => to!)

/** A file and all that is loaded with it. */
const loadedWith = (entry: string): ReadonlySet<string> => {
  const reached = new Set([entry])
  for (const file of reached) for (const to of named(file)) if (to.startsWith('.')) reached.add(join(dirname(file), to))
  return reached
}

/** What package.json exports: a file of the bundle, and the source it stands for. */
const entries = Object.entries((JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>> }).exports).flatMap(([name, paths]) => {
  if (typeof paths === 'string') return []
  const word = new RegExp(`^${relative('dist/bundle', paths.default).replace('*', '(.+)')}$`)
  return files.filter(file => word.test(file)).map(file => {
    const star = word.exec(file)![1] ?? ''
    return { name: name.replace('.', 'vitrail').replace('*', star), file, built: resolve(root, paths.types.replace('*', star).replace(/\.d\.ts$/, '.js')) }
  })
})
const forNode = ['vitrail/testing', 'vitrail/testing/arbitraries']

describe('the bundle', () => {
  it('has a file for everything that is published', () => {
    expect(entries.map(({ name }) => name)).toEqual(expect.arrayContaining(['vitrail', 'vitrail/recipes', 'vitrail/recipes/vit', 'vitrail/training', 'vitrail/search', 'vitrail/backends/wasm', 'vitrail/backends/reference', 'vitrail/exporters/json', ...forNode]))
    expect(new Set(entries.map(({ file }) => file)).size).toBe(entries.length)
  })

  it('exports what its sources do, from every entry', () => {
    const script = `
      const namesOf = async path => Object.keys(await import(path)).sort()
      const pairs = JSON.parse(process.argv[1])
      console.log(JSON.stringify(await Promise.all(pairs.map(async ({ bundled, built }) => [await namesOf(bundled), await namesOf(built)]))))`
    const pairs = entries.map(({ file, built }) => ({ bundled: pathToFileURL(join(bundle, file)).href, built: pathToFileURL(built).href }))
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(pairs)], { cwd: root, encoding: 'utf8' })
    expect(stderr).toBe('')
    const names = JSON.parse(stdout) as readonly (readonly [readonly string[], readonly string[]])[]
    expect(Object.fromEntries(names.map(([bundled], i) => [entries[i]!.name, bundled]))).toEqual(Object.fromEntries(names.map(([, built], i) => [entries[i]!.name, built])))
    expect(names.every(([bundled]) => bundled.length > 0)).toBe(true)
  })

  it('has every source once, so that symbols and caches are single', () => {
    const mapped = files.filter(file => existsSync(join(bundle, `${file}.map`)))
    const sources = mapped.flatMap(file => (JSON.parse(textOf(`${file}.map`)) as { readonly sources: readonly string[] }).sources.map(source => join(dirname(file), source)))
    expect(sources.length).toBeGreaterThan(400)
    expect(sources.filter((source, i) => sources.indexOf(source) !== i)).toEqual([])
  })

  it('loads nothing of Node with what browsers import, nor other packages than a backend is made of', () => {
    const wanted = ({ name }: { readonly name: string }): readonly string[] => (name === 'vitrail/backends/tfjs-wasm' ? ['@tensorflow/tfjs-core'] : [])
    const inBrowsers = entries.filter(({ name }) => !forNode.includes(name))
    const loaded = inBrowsers.map(({ name, file }) => [name, [...new Set([...loadedWith(file)].flatMap(named).filter(to => !to.startsWith('.')))]])
    expect(loaded).toEqual(inBrowsers.map(entry => [entry.name, wanted(entry)]))
  })

  it('does not name a module of Node where a bundler of the wasm backend would look for it', () => {
    expect([...loadedWith('backends/wasm.js')].filter(file => /import\("node:/.test(textOf(file)))).toEqual([])
  })

  it('runs kernels in worker threads', () => {
    const script = `
      import { wasmWith } from 'vitrail/backends/wasm'
      let [online, broken] = [0, 0]
      process.on('worker', worker => worker.on('online', () => online++).on('error', () => broken++))
      const backend = wasmWith({ threads: 3 })
      const { right: device } = await backend.open()
      const x = device.upload(new Float32Array(1 << 20), [1, 1 << 20], 'float32')
      const node = { op: 'exp', inputs: [{ shape: [1 << 20], batched: false }], attributes: {}, shape: [1 << 20], dtype: 'float32', batched: false }
      const kernel = device.kernel(node, 1).right
      for (let i = 0; i < 1000 && online < 2; i++) { device.free(kernel.run([x])); await new Promise(resolve => setTimeout(resolve, 10)) }
      for (let i = 0; i < 20; i++) { device.free(kernel.run([x])); await new Promise(resolve => setTimeout(resolve, 5)) }
      console.log(online, broken)
      await backend.close()`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8', timeout: 20_000 })
    expect([stdout, stderr]).toEqual(['2 0\n', ''])
  })

  it('says what to install for each backend, where tfjs is not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bundle-'))
    cpSync(bundle, join(folder, 'dist/bundle'), { recursive: true })
    cpSync(`${root}package.json`, join(folder, 'package.json'))
    mkdirSync(join(folder, 'node_modules'))
    for (const name of Object.keys((JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { readonly dependencies: object }).dependencies)) symlinkSync(`${root}node_modules/${name}`, join(folder, 'node_modules', name), 'junction')
    const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'dist/bundle/cli.js'), 'backends', '--json'], { cwd: folder, encoding: 'utf8' })
    expect(stderr).toBe('')
    const rows = JSON.parse(stdout) as readonly { readonly name: string; readonly works: boolean; readonly remedy?: string }[]
    expect(rows.map(({ name, works, remedy }) => [name, works ? 'works' : remedy])).toEqual([
      ['reference', 'works'], ['cpu', 'npm install @tensorflow/tfjs-core'], ['wasm', 'works'], ...['tfjs-wasm', 'node', 'node-gpu'].map(name => [name, 'npm install @tensorflow/tfjs-core']),
    ])
    rmSync(folder, { recursive: true })
  })
})
