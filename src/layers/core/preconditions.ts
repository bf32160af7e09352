import { isSize } from '../../shape/natural.js'
import { problem, type Problem } from '../../shape/problem.js'
import { type Shape, show, type SignalShape } from '../../shape/shape.js'
import { type Expects, misfit } from '../../shape/shapeError.js'

/** The first problem of several checks; later ones are not evaluated once one has failed. */
export const firstOf = (...checks: readonly (() => Problem | undefined)[]): Problem | undefined => {
  for (const check of checks) {
    const found = check()
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether options that are sizes are whole numbers from 1 to 10^9. */
export const sizes = (layer: string, options: Readonly<Record<string, unknown>>): Problem | undefined => {
  for (const [name, value] of Object.entries(options))
    if (!isSize(value)) return problem('notASize', `${layer}: ${name} must be a whole number from 1 to 10^9, got ${String(value)}`)
  return undefined
}

/** Whether options that are counts are whole numbers from 0. */
export const counts = (layer: string, options: Readonly<Record<string, unknown>>): Problem | undefined => {
  for (const [name, value] of Object.entries(options))
    if (!(Number.isInteger(value) && (value as number) >= 0)) return problem('notACount', `${layer}: ${name} must be a whole number from 0, got ${String(value)}`)
  return undefined
}

/** Whether options that are amounts, such as an epsilon, are finite numbers from 0. */
export const amounts = (layer: string, options: Readonly<Record<string, unknown>>): Problem | undefined => {
  for (const [name, value] of Object.entries(options))
    if (!(Number.isFinite(value) && (value as number) >= 0)) return problem('notAnAmount', `${layer}: ${name} must be a finite number from 0, got ${String(value)}`)
  return undefined
}

/** Whether options for height and width are one number for both, or one for each. Errors: `notAPair`. */
export const pairs = (layer: string, options: Readonly<Record<string, unknown>>): Problem | undefined => {
  for (const [name, value] of Object.entries(options))
    if (typeof value !== 'number' && !isTwo(value)) return problem('notAPair', `${layer}: ${name} must be one number or two, [height, width], got ${listed(value)}`)
  return undefined
}

/** Whether options that are grids are a number of rows and one of columns. */
export const grids = (layer: string, options: Readonly<Record<string, unknown>>): Problem | undefined => {
  for (const [name, value] of Object.entries(options))
    if (!isTwo(value)) return problem('notAGrid', `${layer}: ${name} must be two numbers, [rows, columns], got ${listed(value)}`)
  return undefined
}

/** Whether an argument is a record of layers; that they are layers is for `trace` to say. Errors: `notARecord`. */
export const byName = (layer: string, layers: unknown): Problem | undefined =>
  typeof layers === 'object' && layers !== null && !Array.isArray(layers) ? undefined : problem('notARecord', `${layer}: expects layers by name, { name: layer, … }, got ${listed(layers)}`)

const isTwo = (value: unknown): boolean => Array.isArray(value) && value.length === 2 && value.every(n => typeof n === 'number')
const listed = (value: unknown): string => (Array.isArray(value) ? `[${value.join(', ')}]` : String(value))

/** Whether options that are probabilities of dropping lie in [0, 1). */
export const rates = (layer: string, options: Readonly<Record<string, unknown>>): Problem | undefined => {
  for (const [name, value] of Object.entries(options))
    if (!(typeof value === 'number' && value >= 0 && value < 1)) return problem('notARate', `${layer}: ${name} must be at least 0 and below 1, got ${String(value)}`)
  return undefined
}

/** Whether an option is one of a few words. */
export const oneOf = (layer: string, name: string, value: unknown, words: readonly string[]): Problem | undefined =>
  words.includes(value as string) ? undefined : problem('unknownOption', `${layer}: ${name} must be one of ${words.map(word => `'${word}'`).join(', ')}, got ${String(value)}`)

/** Whether a signal is tokens×channels. */
export const tokens = (layer: string, shape: Shape): Problem | undefined => (shape.length === 2 ? undefined : misfit('expectsTokens', { layer, shape: show(shape) }))

/** On types: `Then` where the signal is an image, else the sentence that says so. */
export type IfImage<S, Layer extends string, Then> = S extends readonly [number, number, number] ? Then : Expects<'expectsImage', Layer, S>

/** Whether a signal is height×width×channels. */
export const image = (layer: string, shape: Shape): Problem | undefined => (shape.length === 3 ? undefined : misfit('expectsImage', { layer, shape: show(shape) }))

/** Whether a signal has a channel axis. */
export const channels = (layer: string, shape: Shape): Problem | undefined => (Array.isArray(shape) && shape.length >= 1 ? undefined : misfit('expectsChannels', { layer, shape: show(shape) }))

/** Whether a signal is what the layer accepts. */
export const accepted = (layer: string, accepts: 'tensor' | 'integers' | 'record' | 'any', shape: SignalShape): Problem | undefined => {
  const is = Array.isArray(shape) ? 'tensor' : Array.isArray((shape as { integers?: unknown }).integers) ? 'integers' : 'record'
  if (accepts === 'any' || accepts === is) return undefined
  const code = accepts === 'tensor' ? 'expectsTensor' : accepts === 'integers' ? 'expectsIntegers' : 'expectsRecord'
  return misfit(code, { layer, shape: show(shape) })
}
