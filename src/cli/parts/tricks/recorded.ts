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

/** One object of a recording in JSON, whose fields are read by kind; a field of another kind is a {@link Misread}. */
export class Recorded {
  constructor(private readonly fields: JsonObject, private readonly path = '') {}

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
    return this.of(key, (value): value is readonly JsonObject[] => Array.isArray(value) && value.every(isObject), 'a list of objects').map((fields, i) => new Recorded(fields, `${this.place(key)}.${i}`))
  }

  object(key: string): Recorded {
    return new Recorded(this.of(key, isObject, 'an object'), this.place(key))
  }

  number(key: string): number {
    return this.of(key, (value): value is number => typeof value === 'number', 'a number')
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
    return this.has(key) && this.of(key, (value): value is boolean => typeof value === 'boolean', 'true or false')
  }

  text(key: string): string {
    return this.of(key, (value): value is string => typeof value === 'string', 'a text')
  }

  /** A list of numbers, or of lists of numbers one after the other. */
  numbers(key: string): readonly number[] {
    return this.of(key, (value): value is readonly unknown[] => Array.isArray(value) && isNumbers(value.flat()), 'a list of numbers').flat() as readonly number[]
  }

  tensor(key: string): RecordedTensor {
    const fits = (value: unknown): value is RecordedTensor => isObject(value) && isNumbers(value['shape']) && isNumbers(value['data']) && sizeOf(value['shape']) === value['data'].length
    return this.of(key, fits, 'a tensor { shape, data }')
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
