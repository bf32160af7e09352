import { pipe } from 'fp-ts/lib/function.js'
import { decideTokens, encoderBlock, fanOut, flattenTokens, input, inputs, keepTokens, linear, mixTokens, named, serial, takeToken, tokenScores } from 'vitrail'
import { dynamicVit, dynamicVitTraining, lvvit, lvvitTraining, recipes } from 'vitrail/recipes'

const small = { patchSize: 16, dim: 384, depth: 12, numHeads: 6 } as const

export const keepingMoreThanThereIs = pipe(
  input(197, 384),
  keepTokens(137, tokenScores()),
  // says: keepTokens: cannot keep 138 of 138 tokens (138×384)
  // at: keepTokens
  keepTokens(138, tokenScores()),
)

export const keepingMoreOnTheWay = pipe(
  input(224, 224, 3),
  // says: keepTokens: cannot keep 150 of 138 tokens (138×384)
  // at: keepTokens
  dynamicVit({ ...small, pruneAt: [3, 6, 9], keep: [137, 150, 67] }),
)

export const scoresOfOddChannels = pipe(
  input(197, 15),
  // says: tokenScores: 15 channels do not split into halves (196×15)
  // at: score_predictor.0 › tokenScores
  keepTokens(98, named('score_predictor.0', tokenScores())),
)

export const decidingByOneScore = pipe(
  input(197, 384),
  // says: decideTokens: expects two scores for each token, to keep and to drop it, got 196×1
  // at: decideTokens
  decideTokens('kept', linear(1), takeToken(0)),
)

export const headsThatDoNotSplitAmongDecisions = pipe(
  input(197, 384),
  // says: attention: 384 channels do not split into 7 heads (197×384)
  // at: attention
  decideTokens('kept', linear(2), encoderBlock({ numHeads: 7 })),
)

export const aBoxOfAnotherMap = pipe(
  inputs({ x: input(14, 14, 8), inside: input(16, 16) }),
  // says: mixTokens: the map is 14×14, but the box is 16×16
  // at: mixTokens
  mixTokens(flattenTokens()),
)

export const nothingToRestore = pipe(
  inputs({ x: input(14, 14, 8), inside: input(14, 14) }),
  // says: mixTokens: there is no field aux_head in the record that arrives
  // at: mixTokens
  mixTokens(serial(flattenTokens(), fanOut({ head: takeToken(0) })), { restore: 'aux_head' }),
)

export const aStemThatHalvesTheImage = pipe(
  input(232, 232, 3),
  // says: patchEmbed: 116×116 does not divide into 8×8 patches with stride 8×8
  // at: patch_embed.proj › patchEmbed
  // remedy: the nearest sizes that fit: 112, 120
  lvvit(small),
)

// gives: [68, 384]
export const stages = pipe(input(197, 384), keepTokens(137, linear(1)), keepTokens(67, tokenScores()))

// gives: [7, 384]
export const withRegisters = pipe(input(201, 384), keepTokens(2, tokenScores(), { prefixTokens: 5 }))

// gives: { output: [384], late: [196], early: [196] }
export const decidingTwice = pipe(input(197, 384), decideTokens('early', tokenScores(), serial(encoderBlock({ numHeads: 6 }), decideTokens('late', tokenScores(), takeToken(0)))))

// gives: [10]
export const lvvitOfOtherSizes = pipe(input(192, 256, 3), lvvit({ ...small, patchSize: [16, 32], branchDivisor: 2, numClasses: 10 }))

// gives: { head: [10], aux_head: [196, 10], inside: [14, 14] }
export const lvvitInTraining = pipe(inputs({ x: input(224, 224, 3), inside: input(14, 14) }), lvvitTraining({ ...small, numClasses: 10 }))

// gives: { head: [10], aux_head: [196, 10], keep_0: [196], keep_1: [196] }
export const dynamicLvvitInTraining = pipe(input(224, 224, 3), dynamicVitTraining({ ...small, backbone: 'lvvit', numClasses: 10, pruneAt: [4, 8], keep: [137, 96] }))

// gives: [7]
export const published = pipe(recipes['dynamicvit_lvvit_m_0.7'].model, linear(7))
