import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the package, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** One import or re-export of another file of the package, or of another package. */
export interface Import {
  readonly from: string
  /** The file it means, from the package's folder, or the name of a package. */
  readonly to: string
  readonly isRelative: boolean
  /** Whether nothing of it is left at run time. */
  readonly isTypeOnly: boolean
}

/** A source file: its path from the package's folder, with forward slashes, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

const walk = (folder: string): readonly string[] =>
  readdirSync(root + folder, { withFileTypes: true }).flatMap(entry => (entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))

/** The TypeScript files below a folder. */
export const sources = (folder: string): readonly Source[] =>
  walk(folder).filter(path => path.endsWith('.ts')).sort().map(path => ({ path, text: readFileSync(root + path, 'utf8') }))

/** The code of a file. */
export const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')

/** What a file imports, statically or not. */
export const importsOf = ({ path, text }: Source): readonly Import[] => {
  const code = withoutComments(text)
  const made = (specifier: string, isTypeOnly: boolean): Import => {
    const isRelative = specifier.startsWith('.')
    return { from: path, to: isRelative ? normalize(join(dirname(path), specifier)).replace(/\.js$/, '.ts') : specifier, isRelative, isTypeOnly }
  }
  const named = [...code.matchAll(/^(?:import|export)\s+(type\s+)?((?:\*(?:\s+as\s+\w+)?|\w+|\{[^}]*\}|\w+\s*,\s*\{[^}]*\}))\s+from\s+'([^']+)'/gm)].map(([, type, what, specifier]) => {
    const isList = what!.startsWith('{')
    return made(specifier!, type !== undefined || (isList && what!.slice(1, -1).split(',').filter(w => w.trim() !== '').every(w => w.trim().startsWith('type '))))
  })
  const bare = [...code.matchAll(/^import\s+'([^']+)'/gm)].map(([, specifier]) => made(specifier!, false))
  const dynamic = [...code.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g)].map(([, specifier]) => made(specifier!, false))
  const inTypes = [...code.matchAll(/\btypeof import\(\s*'([^']+)'\s*\)/g)].map(([, specifier]) => made(specifier!, true))
  return [...named, ...bare, ...dynamic, ...inTypes]
}

/** A doc comment with what it stands before: an exported name, and the code that follows it. */
export interface Documented {
  readonly path: string
  readonly name: string
  /** The comment's text without its stars; empty where there is none. */
  readonly doc: string
  /** The code of the declaration, to the end of the file. */
  readonly code: string
}

/** The exported functions and constants of a file, with their doc comments. */
export const exportedValues = ({ path, text }: Source): readonly Documented[] => {
  const found: Documented[] = []
  for (const match of text.matchAll(/^export (?:async )?(?:const|function\*?|class|abstract class) (\w+)/gm)) {
    // Overloads share the first one's comment.
    if (found.some(f => f.name === match[1])) continue
    const before = text.slice(0, match.index)
    const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(before)
    found.push({ path, name: match[1]!, doc: comment === null ? '' : comment[1]!.replace(/^\s*\* ?/gm, '').trim(), code: text.slice(match.index) })
  }
  return found
}

/** Every doc comment of a file that has an `@example`, with the examples' lines. */
export const examplesOf = (source: Source): readonly { readonly name: string; readonly lines: readonly string[] }[] =>
  [...source.text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export (?:async )?(?:declare )?(?:const|function\*?|class|type|interface) (\w+)|(?:static |async |readonly )*(\w+))?/g)].flatMap(([, comment, exported, member]) => {
    const [, ...examples] = comment!.replace(/^\s*\* ?/gm, '').split('@example')
    return examples.map(example => ({ name: exported ?? member ?? '?', lines: example.split(/^@/m)[0]!.split('\n').map(line => line.trim()).filter(line => line !== '') }))
  })
