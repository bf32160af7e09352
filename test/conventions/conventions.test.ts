import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as ops from '../../src/ops/ops.js'
// @ts-expect-error a plain script, without declarations
import { listings as made } from './listings.mjs'
import { exportedValues, importsOf, root, sources, type Import } from './sources.js'

const listings = made as Readonly<Record<string, () => string>>
const src = sources('src')
const recipes = sources('recipes')
const product = [...src, ...recipes]
const imports = product.flatMap(importsOf)

/** DESIGN.md, section 2: a folder imports only from folders to its left; folders of one group know nothing of each other. */
const road = [['shape'], ['ops'], ['layers'], ['graph'], ['passes'], ['backends', 'exporters'], ['weights'], ['training'], ['search'], ['testing'], ['cli']]
const place = (folder: string): number => road.findIndex(group => group.includes(folder))
const folderOf = (path: string): string => path.split('/')[1]!

/** The package's entry, which gathers all of it. */
const entry = 'src/index.ts'

/** Circles of files that import each other, each told once, from its alphabetically first file. */
const circles = (edges: readonly Import[]): readonly string[] => {
  const next = new Map<string, readonly string[]>()
  for (const { from, to } of edges) next.set(from, [...new Set([...(next.get(from) ?? []), to])])
  const found = new Set<string>()
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) {
      const circle = trail.slice(at)
      const first = circle.indexOf([...circle].sort()[0]!)
      found.add([...circle.slice(first), ...circle.slice(0, first)].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const to of next.get(file) ?? []) visit(to, [...trail, file])
    done.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  return [...found].sort()
}

describe('the road goes one way', () => {
  it('every folder of src has its place on it', () => {
    expect([...new Set(src.filter(s => s.path !== entry).map(s => folderOf(s.path)))].filter(folder => place(folder) < 0)).toEqual([])
  })

  it('a folder imports only from folders to its left', () => {
    const wrong = imports.filter(({ from, to, isRelative }) => {
      if (!isRelative || !from.startsWith('src/') || from === entry) return false
      const here = folderOf(from)
      // The command line is at the end of the road: it may also use the recipes and the entry.
      if (!to.startsWith('src/') || to === entry) return here !== 'cli' && !(here === 'testing' && to.startsWith('recipes/'))
      const there = folderOf(to)
      return here !== there && place(there) >= place(here)
    })
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('recipes import the entry, layers and shapes, and each other', () => {
    const wrong = imports.filter(({ from, to, isRelative }) => isRelative && from.startsWith('recipes/') && !(to === entry || /^(recipes|src\/layers|src\/shape)\//.test(to)))
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('who only runs models loads no data, loops, reports or commands', () => {
    const reached = new Set([entry])
    for (const file of reached) for (const { from, to, isRelative, isTypeOnly } of imports) if (from === file && isRelative && !isTypeOnly) reached.add(to)
    expect(reached.size).toBeGreaterThan(200)
    expect([...reached].filter(path => /^src\/(training\/(data|loop|config|objectives|report|evaluate|metrics|checkpoint|routines)|testing|cli)\//.test(path))).toEqual([])
  })

  it('what is imported is there', () => {
    expect(imports.filter(({ to, isRelative }) => isRelative && !existsSync(root + to)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })

  it('no file imports itself by way of others', () => {
    expect(circles(imports.filter(i => i.isRelative && !i.isTypeOnly))).toEqual([])
  })

  it('no file needs its own types to have types, but for layers and models, which are made of each other', () => {
    // A layer is a function from model to model, and a model is a list of layers: one idea in two files.
    expect(circles(imports.filter(i => i.isRelative))).toEqual(['src/layers/core/layer.ts → src/layers/core/model.ts'])
  })

  it('finds a circle where there is one', () => {
    const edge = (from: string, to: string): Import => ({ from, to, isRelative: true, isTypeOnly: false })
    expect(circles([edge('c', 'a'), edge('a', 'b'), edge('b', 'c'), edge('a', 'd')])).toEqual(['a → b → c'])
  })

  it('no file of src but the entry imports an index.ts of src', () => {
    const reasons: Readonly<Record<string, string>> = {
      'src/exporters/json/fromJson.ts imports src/layers/index.ts': 'the listing is what it looks names up in',
      'src/testing/laws/core/subject.ts imports src/backends/reference/index.ts': 'where laws are checked unless a backend is given',
    }
    // A backend is its folder's index.ts, published as `vitrail/backends/NAME`; the command line imports it, and the entry, as a user does.
    const isPublished = (to: string): boolean => to === entry || /^src\/(backends\/[\w-]+|training|search)\/index\.ts$/.test(to)
    const wrong = imports.filter(({ from, to, isRelative }) => isRelative && from.startsWith('src/') && from !== entry && /^src\/(.*\/)?index\.ts$/.test(to) && !(folderOf(from) === 'cli' && isPublished(to)))
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`).filter(told => reasons[told] === undefined)).toEqual([])
  })

  it('fp-ts is imported by the paths that also work in Node', () => {
    expect(imports.filter(i => /^fp-ts($|\/)/.test(i.to) && !/^fp-ts\/lib\/\w+\.js$/.test(i.to)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([])
  })
})

describe('listings are fresh', () => {
  it.each(Object.entries(listings))('%s is what `npm run listings` writes', (file, make) => {
    expect(readFileSync(root + file, 'utf8')).toBe(make())
  })
})

describe('a file is named like the thing it exports', () => {
  it.each(src.filter(s => /^src\/layers\/\w+\.ts$/.test(s.path) && s.path !== 'src/layers/index.ts').map(s => [s.path, s] as const))('%s', (path, { text }) => {
    const name = path.split('/').at(-1)!.slice(0, -3)
    expect(text).toMatch(new RegExp(`^export (const|function) ${name}\\b`, 'm'))
  })
})

const isGenerated = (text: string): boolean => /^\/\/ generated/i.test(text)

describe('what is exported is explained', () => {
  const open = src.filter(s => /^src\/(shape|ops|layers|graph|passes|backends|exporters|weights|search)\//.test(s.path) && !isGenerated(s.text))

  it('every function and value of the folders that models pass through has a doc comment', () => {
    expect(open.flatMap(exportedValues).filter(e => e.doc === '').map(e => `${e.path}: ${e.name}`)).toEqual([])
  })

  // Constructors of nodes are public: `ops` is how a layer of one's own is written.
  const constructors = open.filter(s => /^src\/ops\/\w+\.ts$/.test(s.path)).flatMap(exportedValues).filter(e => e.name in ops)

  it.each(constructors.map(c => [c.name, c] as const))('the op %s gives an example', (_, { doc }) => {
    expect(doc).toContain('@example')
  })

  const layers = open.filter(s => /^src\/layers\/\w+\.ts$/.test(s.path) && s.path !== 'src/layers/index.ts').flatMap(source => exportedValues(source).filter(e => source.path.endsWith(`/${e.name}.ts`)))

  it.each(layers.map(l => [l.name, l] as const))('%s says what it makes of a shape, and gives an example', (_, { doc }) => {
    expect(doc).toContain('@example')
    expect(doc).toContain('→')
  })

  it.each(layers.filter(l => /\bmisfit\(|problem\(|firstOf\(/.test(l.code)).map(l => [l.name, l] as const))('%s, which can refuse, says with which errors', (_, { doc }) => {
    expect(doc).toMatch(/Errors?:/)
  })
})

describe('files stay small', () => {
  /** Longer files, and why. */
  const exceptions: Readonly<Record<string, string>> = {
    'src/backends/wasm/kernels/binaries.ts': 'generated: compiled kernels as base64',
  }

  it('under 300 lines, but for those with a reason', () => {
    const long = [...product, ...sources('test')].filter(s => s.text.split('\n').length > 300).map(s => s.path)
    expect(long.filter(path => exceptions[path] === undefined)).toEqual([])
  })
})

describe('nothing is swept under the rug', () => {
  const git = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' })
  const tracked = (git.status === 0 ? git.stdout.split('\0') : [...product, ...sources('test')].map(s => s.path)).filter(path => path !== '' && existsSync(root + path))
  const texts = tracked
    .filter(path => !/\.(png|jpe?g|safetensors|wasm|gif|ico)$/.test(path) && path !== 'package-lock.json')
    .map(path => ({ path, text: readFileSync(root + path, 'utf8') }))
  const code = texts.filter(({ path }) => /\.(ts|mjs|js)$/.test(path) && path !== 'test/conventions/conventions.test.ts')

  const where = (files: readonly { readonly path: string; readonly text: string }[], pattern: RegExp): readonly string[] =>
    files.flatMap(({ path, text }) => text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`${path}(${i + 1}): ${line.trim().slice(0, 120)}`] : [])))

  it('no type is silenced', () => {
    expect(where(code, /\bas any\b|^[^/*]*: any\b(?! number)|<any>|@ts-ignore|@ts-nocheck/)).toEqual([])
  })

  it('no test is left out, put off or run alone', () => {
    expect(where(code, /\b(it|test|describe)(\.\w+)*\.(skip|only|todo)\b/)).toEqual([])
  })

  it('no path of one machine is written down', () => {
    expect(where(texts, /(^|[\s'"`(=:])\/(work|root|home|Users|tmp\/\w)\/?\b|[A-Z]:\\Users/)).toEqual([])
  })

  it('no test reads what is beside the repository', () => {
    expect(where(code, /\.\.\/shared\b/)).toEqual([])
  })

  it('no registry is written down, in the lock file neither', () => {
    expect(where(texts, /https?:\/\/[\w.-]*(registry|npm\.)[\w.-]*\.\w+/)).toEqual([])
    expect(where([{ path: 'package-lock.json', text: readFileSync(`${root}package-lock.json`, 'utf8') }], /"resolved": "http/)).toEqual([])
  })
})
