import { spawn } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { Verdict } from '../laws/core/law.js'
import { broken, kept, silent } from '../laws/core/law.js'
import { typeProgram, type TypedModel } from './typeProgram.js'

/** How the law of types is called, and what it means. It asks a compiler, so it is checked once for many models. */
export const typesAgreeLaw = {
  name: 'typesAgree',
  title: 'the shape the compiler infers is the traced one',
  meaning: "A layer's shape function on types says something else than its `check` and `forward`: compare the interface above the layer with what it computes.",
} as const

/** What the compiler found. */
export interface TypesChecked {
  /** `TypeScript 7.0.2`, or nothing where none is installed. */
  readonly compiler?: string
  /** In the order of the models. */
  readonly verdicts: readonly Verdict[]
}

/**
 * Asks the TypeScript that is installed where a project lies (5.9, 6 or 7) for the shapes of some models, all in one
 * run, and compares them with the traced ones.
 *
 * @param root the folder of this package
 * @param folders where to look for `typescript` first, the first that has one counts
 */
export const typesAgree = async (models: readonly TypedModel[], root: string, folders: readonly string[] = []): Promise<TypesChecked> => {
  const compiler = await find([...folders, root])
  if (compiler === undefined) return { verdicts: models.map(() => silent('not checked: typescript is not installed here')) }
  // The compiler tells real paths; macOS' folder for temporary files is a link.
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'vitrail-types-')))
  try {
    const programs = models.map(typeProgram)
    await Promise.all(programs.map((text, i) => (text === undefined ? undefined : writeFile(join(scratch, `m${i}.ts`), text))))
    await writeFile(join(scratch, 'package.json'), '{ "type": "module" }')
    await writeFile(join(scratch, 'tsconfig.json'), JSON.stringify(config(root)))
    const said = await run(compiler.binary, scratch)
    const errors = said.split(/\r?\n/).flatMap(line => {
      const [, file, code, text] = /^(.+?)\(\d+,\d+\): error (TS\d+): (.*)$/.exec(line) ?? []
      return file === undefined ? [] : [{ file: relative(scratch, join(scratch, file)), code: code!, text: text! }]
    })
    const verdicts = models.map(({ exported }, i): Verdict => {
      if (programs[i] === undefined) return silent("not checked: it holds a user's own layers")
      const own = errors.filter(({ file }) => file === `m${i}.ts`)
      // Of a user's file only what is said of arguments counts; its other imports are its own affair.
      const theirs = exported === undefined ? [] : errors.filter(({ file, code }) => /^TS23(45|22)$/.test(code) && join(scratch, file) === exported.module)
      const [first] = [...own, ...theirs]
      return first === undefined ? kept(compiler.version) : broken(`${compiler.version} says: ${first.text.slice(0, 400)}`)
    })
    return { compiler: compiler.version, verdicts }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const find = async (folders: readonly string[]): Promise<{ readonly version: string; readonly binary: string } | undefined> => {
  for (const folder of folders) {
    try {
      const manifest = createRequire(join(folder, 'anything.js')).resolve('typescript/package.json')
      const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string }
      return { version: `TypeScript ${version}`, binary: join(dirname(manifest), 'bin', 'tsc') }
    } catch {
      // The next folder may have one.
    }
  }
  return undefined
}

/** As strict as a user's own, and sure to find this very package. */
const config = (root: string): object => {
  const fpTs = dirname(createRequire(join(root, 'anything.js')).resolve('fp-ts/package.json'))
  const built = join(root, 'dist')
  return {
    compilerOptions: {
      target: 'ES2022', module: 'NodeNext', moduleResolution: 'NodeNext', strict: true, noEmit: true, skipLibCheck: true, allowImportingTsExtensions: true, types: [],
      paths: {
        vitrail: [join(built, 'src/index.d.ts')],
        'vitrail/recipes': [join(built, 'recipes/index.d.ts')],
        'vitrail/recipes/*': [join(built, 'recipes/*.d.ts')],
        'vitrail/backends/*': [join(built, 'src/backends/*/index.d.ts')],
        'fp-ts/*': [`${fpTs}/*`],
      },
    },
    include: ['*.ts'],
  }
}

const run = (binary: string, folder: string): Promise<string> =>
  new Promise(resolve => {
    const child = spawn(process.execPath, [binary, '-p', folder, '--pretty', 'false'], { cwd: folder })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    child.on('error', fault => resolve(`m.ts(1,1): error TS0000: ${fault.message}`))
    child.on('close', () => resolve(said))
  })
