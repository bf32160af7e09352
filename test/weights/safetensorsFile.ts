import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import type { Problem } from '../../src/shape/problem.js'

/** The path of a recording in test/fixtures/weights. */
export const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/weights/${name}`, import.meta.url))

/** The bytes of a recording. */
export const fixtureBytes = (name: string): Uint8Array => new Uint8Array(readFileSync(fixture(name)))

/** The value of a Right; a Left fails the test with its sentence. */
export const right = <T>(either: E.Either<Problem, T>): T => {
  if (E.isLeft(either)) throw new Error(`${either.left.code}: ${either.left.sentence}`)
  return either.right
}

/** The Problem of a Left. */
export const left = (either: E.Either<Problem, unknown>): Problem => {
  if (E.isRight(either)) throw new Error('expected a Problem')
  return either.left
}

/** A safetensors file of a header, given as text or bytes, and so many bytes of data. */
export const fileOf = (header: string | Uint8Array, dataBytes = 0): Uint8Array => {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const bytes = new Uint8Array(8 + text.length + dataBytes)
  new DataView(bytes.buffer).setUint32(0, text.length, true)
  bytes.set(text, 8)
  return bytes
}
