import { pipe } from 'fp-ts/lib/function.js'
import { classToken, conv2d, encoderBlock, expectShape, flattenTokens, globalPool, input, linear, patchEmbed, positionEmbed, repeat, residual, takeToken, when } from 'vitrail'

/** Sizes as they come from a file: the compiler knows only that they are numbers. */
const read = (text: string): { readonly image: number; readonly dim: number; readonly numHeads: number; readonly patchSize: number; readonly isDeep: boolean } => JSON.parse(text)
const good = read('{ "image": 32, "dim": 24, "numHeads": 3, "patchSize": 8, "isDeep": true }')
const bad = read('{ "image": 33, "dim": 25, "numHeads": 4, "patchSize": 8, "isDeep": false }')

// gives: [number, 24]
export const anyImage = pipe(input(good.image, good.image, 3), patchEmbed({ patchSize: 8, dim: 24 }), flattenTokens(), classToken(), positionEmbed(), encoderBlock({ numHeads: 3 }))

// gives: [4, 4, 24]
export const anyPatch = pipe(input(32, 32, 3), patchEmbed({ patchSize: good.patchSize, dim: 24 }), expectShape(4, 4, good.dim), conv2d({ dim: 24, kernelSize: 3, padding: 1 }))

// gives: [number]
export const anyWidth = pipe(input(16, good.dim), repeat(2, encoderBlock({ numHeads: good.numHeads })), residual(linear(good.dim)), takeToken(3))

// gives: [number, number]
export const anyDepth = pipe(input(16, 24), when(good.isDeep, classToken()), linear(good.dim))

// at run time: patchEmbed: 33×33 does not divide into 8×8 patches with stride 8×8
export const wrongImage = pipe(input(bad.image, bad.image, 3), patchEmbed({ patchSize: 8, dim: 24 }))

// at run time: attention: 25 channels do not split into 4 heads (16×25)
export const wrongHeads = pipe(input(16, bad.dim), repeat(2, encoderBlock({ numHeads: bad.numHeads })))

// at run time: residual: the branch turns 16×24 into 16×25, which cannot be added to its input
export const wrongWidth = pipe(input(16, 24), residual(linear(bad.dim)))

// at run time: expectShape: 5×5×24 was declared, but 4×4×24 arrives
export const wrongGrid = pipe(input(good.image, good.image, 3), patchEmbed({ patchSize: 8, dim: 24 }), expectShape(5, 5, 24))

// at run time: takeToken: there is no token 8 among 4 (4×4)
export const wrongToken = pipe(input(4, 4), takeToken(bad.patchSize))

// at run time: globalPool: 8 prefix tokens leave nothing of 4 (4×4)
export const wrongPrefix = pipe(input(4, 4), globalPool({ prefixTokens: bad.patchSize }))

export const knownToBeWrong = pipe(
  input(good.image, good.image, 3),
  patchEmbed({ patchSize: 8, dim: 24 }),
  flattenTokens(),
  // says: attention: 24 channels do not split into 5 heads (?×24)
  encoderBlock({ numHeads: 5 }),
)
