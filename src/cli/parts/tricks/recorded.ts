import { sizeOf, type Shape } from '../../../shape/shape.js'
import type { JsonObject } from '../readJson.js'

/** Numbers with their shape, batch in front where there is one. */
export interface RecordedTensor {
  readonly shape: Shape
  readonly data: readonly number[]
}

/** A recording that is not in its form. It does not leave this folder: `replayTrick` makes it a problem. */
export class Misread extends Error {}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumbers = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(x => typeof x === 'number')

/** One object of a recording in JSON, whose fields are read by kind; a field of another kind is a {@link Misread}. It keeps account of what was read. */
export class Recorded {
  constructor(private readonly fields: JsonObject, private readonly path = '', private readonly seen = new Set<string>()) {}

  /** The names of all fields. */
  get keys(): readonly string[] {
    return Object.keys(this.fields)
  }

  has(key: string): boolean {
    return this.fields[key] !== undefined && this.fields[key] !== null
  }

  /** The fields that are objects and have some field, by name. */
  objectsWith(key: string): readonly (readonly [string, Recorded])[] {
    return this.keys.flatMap(name => (isObject(this.fields[name]) && (this.fields[name] as JsonObject)[key] !== undefined ? [[name, this.object(name)] as const] : []))
  }

  /** A list of objects. */
  list(key: string): readonly Recorded[] {
    return this.of(key, (value): value is readonly JsonObject[] => Array.isArray(value) && value.every(isObject), 'a list of objects').map((fields, i) => new Recorded(fields, `${this.place(key)}.${i}`, this.seen))
  }

  object(key: string): Recorded {
    return new Recorded(this.of(key, isObject, 'an object'), this.place(key), this.seen)
  }

  number(key: string): number {
    return this.read(key, (value): value is number => typeof value === 'number', 'a number')
  }

  /** A number that has a usual value where it is left out. */
  numberOr(key: string, usual: number): number {
    return this.has(key) ? this.number(key) : usual
  }

  isList(key: string): boolean {
    return Array.isArray(this.fields[key])
  }

  isObject(key: string): boolean {
    return isObject(this.fields[key])
  }

  flag(key: string): boolean {
    return this.has(key) && this.read(key, (value): value is boolean => typeof value === 'boolean', 'true or false')
  }

  text(key: string): string {
    return this.read(key, (value): value is string => typeof value === 'string', 'a text')
  }

  /** A list of numbers, or of lists of numbers one after the other. */
  numbers(key: string): readonly number[] {
    return this.read(key, (value): value is readonly unknown[] => Array.isArray(value) && isNumbers(value.flat()), 'a list of numbers').flat() as readonly number[]
  }

  /** One number for all, or one for each, as a list or a tensor. */
  oneOrEach(key: string): number | readonly number[] {
    return this.isObject(key) ? this.tensor(key).data : this.isList(key) ? this.numbers(key) : this.number(key)
  }

  tensor(key: string): RecordedTensor {
    const fits = (value: unknown): value is RecordedTensor => isObject(value) && isNumbers(value['shape']) && isNumbers(value['data']) && sizeOf(value['shape']) === value['data'].length
    return this.read(key, fits, 'a tensor { shape, data }')
  }

  /** Counts fields as read that have nothing to compare and change nothing. */
  passOver(...keys: readonly string[]): void {
    for (const key of keys) this.seen.add(this.place(key))
  }

  /** The numbers and options that were never read, by path; texts of several words are notes for people. */
  get unread(): readonly string[] {
    return unreadOf(this.fields, this.path, this.seen).paths
  }

  private read<T>(key: string, fits: (value: unknown) => value is T, kind: string): T {
    this.seen.add(this.place(key))
    return this.of(key, fits, kind)
  }

  private of<T>(key: string, fits: (value: unknown) => value is T, kind: string): T {
    const value = this.fields[key]
    if (!fits(value)) throw new Misread(`${this.place(key)} is not ${kind}`)
    return value
  }

  private place(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }
}

/** Below a place: what was not read, and whether anything was; of an object of which nothing was read, its own path. */
const unreadOf = (fields: JsonObject, path: string, seen: ReadonlySet<string>): { readonly paths: readonly string[]; readonly isSeen: boolean } => {
  const parts = Object.entries(fields).filter(([key, value]) => !key.startsWith('_') && hasMeaning(value)).map(([key, value]) => {
    const at = path === '' ? key : `${path}.${key}`
    if (seen.has(at) || seen.has(`${at}.data`)) return { paths: [], isSeen: true }
    const within = isObject(value) && value['data'] === undefined ? value : Array.isArray(value) && value.every(isObject) ? Object.fromEntries(value.entries()) : undefined
    const below = within === undefined ? { paths: [], isSeen: false } : unreadOf(within, at, seen)
    return below.isSeen ? below : { paths: [at], isSeen: false }
  })
  return { paths: parts.flatMap(({ paths }) => paths), isSeen: parts.some(({ isSeen }) => isSeen) }
}

const hasMeaning = (value: unknown): boolean => value !== null && !(typeof value === 'string' && value.includes(' ')) && !(typeof value === 'object' && Object.keys(value as object).length === 0)
