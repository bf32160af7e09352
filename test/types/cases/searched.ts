import { pipe } from 'fp-ts/lib/function.js'
import { input, linear, relativeTokenAttention, repeat, subnetwork, takeToken, type Model } from 'vitrail'
import { autoformer, autoformerSpace, recipes } from 'vitrail/recipes'

// gives: [1000]
export const found: Model<readonly [224, 224, 3], readonly [1000]> = recipes.autoformer_t_subnet.model

// gives: [1000]
export const supernet: Model<readonly [224, 224, 3], readonly [1000]> = recipes.autoformer_b_supernet.model

// gives: [1000]
export const sampled: Model<readonly [224, 224, 3], readonly [1000]> = autoformerSpace.tiny.model({ dim: 216, depth: 12, numHeads: Array<3>(12).fill(3), mlpRatio: Array<4>(12).fill(4) })

// gives: [7]
export const partOfALargerOne = pipe(input(32, 32, 1), autoformer({ patchSize: 8, dim: 24, depth: 1, numHeads: [2], numClasses: 7, superDim: 128, superDepth: 2, superHeads: 2, superMlpRatio: 4 }))

// gives: [5, 4]
export const onePart = pipe(input(5, 8), subnetwork(linear(6), linear(4)))

// gives: { small: [4], large: [5] }
export const severalParts = pipe(input(8), subnetwork(linear(6), { small: linear(4), large: linear(5) }))

// gives: [17, 40]
export const headsOfTheirOwnSize = pipe(input(17, 40), relativeTokenAttention({ numHeads: 3, headDim: 16 }))

export const ofAMap = pipe(
  input(14, 14, 96),
  // says: attention: expects tokens×channels, got 14×14×96
  // at: blocks.0 › attention
  repeat(2, relativeTokenAttention({ numHeads: 3 })),
)

export const aPartThatDoesNotFit = pipe(
  input(8),
  // says: takeToken: expects tokens×channels, got 8
  subnetwork(linear(6), takeToken(0)),
)

// runs: subnetwork: 'linear.weight' is 7×8 in the part and 6×8 in the whole
export const aPartThatIsLarger = pipe(input(5, 8), subnetwork(linear(6), linear(7)))
