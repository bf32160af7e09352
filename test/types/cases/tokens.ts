import { pipe } from 'fp-ts/lib/function.js'
import { classToken, distillationToken, globalPool, input, named, positionEmbed, registerTokens, repeat, serial, takeToken, tokenDropout } from 'vitrail'

export const positionsMadeWithoutTheClassToken = pipe(
  input(196, 192),
  classToken(),
  // says: positionEmbed: made for 196 tokens, but 197 arrive (197×192)
  positionEmbed({ numTokens: 196 }),
)

export const positionsInAName = pipe(
  input(196, 192),
  registerTokens(4),
  // says: positionEmbed: made for 201 tokens, but 200 arrive (200×192)
  // at: embeddings › positionEmbed
  named('embeddings', positionEmbed({ numTokens: 201, kind: 'sinCos' })),
)

export const theLastTokenAndOne = pipe(
  input(197, 192),
  // says: takeToken: there is no token 197 among 197 (197×192)
  takeToken(197),
)

export const aTokenOfAToken = pipe(
  input(197, 192),
  takeToken(0),
  // says: takeToken: expects tokens×channels, got 192
  takeToken(0),
)

export const aPrefixOfEverything = pipe(
  input(5, 192),
  // says: globalPool: 5 prefix tokens leave nothing of 5 (5×192)
  globalPool({ prefixTokens: 5 }),
)

export const poolingAVector = pipe(
  input(192),
  // says: globalPool: expects tokens×channels, got 192
  // at: head › globalPool
  named('head', globalPool()),
)

export const aTokenForAnImage = pipe(
  input(14, 14, 192),
  // says: classToken: expects tokens×channels, got 14×14×192
  classToken(),
)

export const registersInABlock = pipe(
  input(192),
  // says: registerTokens: expects tokens×channels, got 192
  // at: blocks.0 › registerTokens
  repeat(2, registerTokens(2)),
)

export const droppedTokensOfAnImage = pipe(
  input(14, 14, 192),
  // says: tokenDropout: expects tokens×channels, got 14×14×192
  tokenDropout(0.5),
)

// gives: [192]
export const theLastToken = pipe(input(197, 192), takeToken(196))

// gives: [202, 192]
export const everyKindOfToken = pipe(input(196, 192), serial(registerTokens(4), distillationToken(), classToken()), positionEmbed({ numTokens: 202 }))

// gives: [192]
export const pooledPlaces = pipe(input(14, 14, 192), globalPool({ kind: 'max' }))

// at run time: tokenDropout: 5 prefix tokens leave nothing of 5 (5×192)
export const droppedPrefix = pipe(input(5, 192), tokenDropout(0.5, { prefixTokens: 5 }))

// at run time: positionEmbed: 6 channels do not split into 4 parts for sinCos2d positions (9×6)
export const oddChannels = pipe(input(9, 6), positionEmbed({ kind: 'sinCos2d' }))

// at run time: positionEmbed: a 4×4 grid does not fit 9 tokens (9×8)
export const largeGrid = pipe(input(9, 8), positionEmbed({ kind: 'learned2d', grid: [4, 4] }))

// at run time: takeToken: index must be a whole number from 0, got -1
export const fromTheEnd = pipe(input(9, 8), takeToken(-1))
