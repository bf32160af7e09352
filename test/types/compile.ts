import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the package, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The compilers the published types are promised to work in. */
export const versions = ['5.9', '6', '7'] as const
export type Version = (typeof versions)[number]

const packages: Readonly<Record<Version, string>> = { '5.9': 'typescript-5.9', '6': 'typescript-6', '7': 'typescript' }

/** What a user's own compiler settings are, at least. */
const settings = ['--pretty', 'false', '--noErrorTruncation', '--strict', '--skipLibCheck', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--target', 'es2022']

/** One thing a compiler said, with the lines that explain it. */
export interface Diagnostic {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly code: string
  readonly message: string
}

export interface Compiled {
  readonly diagnostics: readonly Diagnostic[]
  readonly output: string
  /** Types instantiated, where `--extendedDiagnostics` was asked for; as are all that follow. */
  readonly instantiations: number
  readonly types: number
  readonly memoryBytes: number
  readonly checkSeconds: number
  readonly totalSeconds: number
}

/** A number of the compiler's diagnostics. */
const diagnosed = (output: string, name: string): number => Number(new RegExp(`^${name}:\\s*([\\d.]+)`, 'm').exec(output)?.[1] ?? NaN)

/** Compiles files (absolute paths inside the package, so that `vitrail` resolves to its built types) in one process. */
export const compile = (version: Version, files: readonly string[], flags: readonly string[] = ['--noEmit']): Promise<Compiled> =>
  new Promise((resolve, reject) => {
    const args = [`node_modules/${packages[version]}/bin/tsc`, ...(version === '5.9' ? [] : ['--ignoreConfig']), ...settings, ...flags, ...files.map(file => relative(root, file))]
    execFile(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }, (fault, stdout, stderr) => {
      if (fault !== null && typeof fault.code !== 'number') reject(fault)
      else if (stderr !== '') reject(new Error(`TypeScript ${version}: ${stderr}`))
      else resolve({ diagnostics: parse(stdout), output: stdout, instantiations: diagnosed(stdout, 'Instantiations'), types: diagnosed(stdout, 'Types'), memoryBytes: 1024 * diagnosed(stdout, 'Memory used'), checkSeconds: diagnosed(stdout, 'Check time'), totalSeconds: diagnosed(stdout, 'Total time') })
    })
  })

const parse = (output: string): readonly Diagnostic[] => {
  const found: { file: string; line: number; column: number; code: string; message: string }[] = []
  for (const text of output.split(/\r?\n/)) {
    const head = /^(?:(.+?)\((\d+),(\d+)\): )?error (TS\d+): (.*)$/.exec(text)
    if (head !== null) found.push({ file: head[1] === undefined ? '' : root + head[1], line: Number(head[2] ?? 0), column: Number(head[3] ?? 0), code: head[4]!, message: head[5]! })
    else if (/^\s+\S/.test(text) && found.length > 0) found.at(-1)!.message += `\n${text}`
  }
  return found
}

/** A diagnostic on one line, for a failing test's message. */
export const showDiagnostic = ({ file, line, column, code, message }: Diagnostic): string => `${relative(root, file)}(${line},${column}) ${code} ${message}`

/** Writes generated programs where `vitrail` resolves to the package itself; gives their paths. */
export const scratch = (folder: string, programs: Readonly<Record<string, string>>): readonly string[] => {
  const at = `${root}.scratch/types/${folder}`
  mkdirSync(at, { recursive: true })
  return Object.entries(programs).map(([name, text]) => {
    const path = `${at}/${name}`
    writeFileSync(path, text)
    return path
  })
}

/** Type-level helpers of generated programs: `exactly<A, B>()` compiles only where the two are the same type. */
export const exactlyHelper = `type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
declare const exactly: <A, B>(...sure: Exactly<A, B> extends true ? [] : ['differs', A, B]) => void
`
