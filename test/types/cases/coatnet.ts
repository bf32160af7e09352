import { pipe } from 'fp-ts/lib/function.js'
import { depthwiseConv2d, downsample2d, globalPool, input, linear, mbConv, named, relativeAttention2d, repeat, serial, squeezeExcite, stages, transformerBlock2d, type Model } from 'vitrail'
import { coatnet, coatnetRecipe, recipes } from 'vitrail/recipes'

// gives: [1000]
export const published: Model<readonly [224, 224, 3], readonly [1000]> = recipes.coatnet_0_224.model

// gives: [1000]
export const pooledByMaximum: Model<readonly [224, 224, 3], readonly [1000]> = recipes.coatnet_rmlp_1_rw_224.model

// gives: [1000]
export const larger: Model<readonly [384, 384, 3], readonly [1000]> = recipes.coatnet_rmlp_2_rw_384.model

// gives: [1000]
export const mixed: Model<readonly [224, 224, 3], readonly [1000]> = recipes.coatnet_nano_cc_224.model

const tiny = { dims: [64, 96, 192, 384], depths: [1, 2, 2, 1], stemDims: [32, 64] } as const

// gives: [384]
export const withoutHead = coatnetRecipe({ imageSize: [224, 160], ...tiny, numClasses: 0 }).model

// gives: [2, 3, 10]
export const withoutPooling = pipe(input(64, 96, 3), coatnet({ ...tiny, pool: 'none', numClasses: 10 }))

// gives: [768]
export const bothPools = pipe(input(64, 64, 3), coatnet({ ...tiny, pool: 'averageAndMax', numClasses: 0 }))

// gives: [3, 4, 5]
export const oddMaps = pipe(input(72, 104, 1), coatnet({ ...tiny, convPool: 'max3', attentionPool: 'average3', pool: 'none', numClasses: 5 }))

// gives: [3, 3, 384]
export const oddMapsPaddedLikeTensorFlow = pipe(input(68, 68, 3), coatnet({ ...tiny, padding: 'same', attentionPool: 'max3', pool: 'none', numClasses: 0 }))

// gives: [2, 2, 10]
export const threeStages = pipe(input(32, 32, 3), coatnet({ dims: [8, 32, 64], depths: [1, 1, 2], stemDims: 8, blocks: ['conv', 'attention', 'attention'], pool: 'none', numClasses: 10 }))

export const wrongHeadsAtStage2 = pipe(
  input(224, 224, 3),
  // says: attention: 200 channels do not split into heads of 32 (28×28×96)
  // at: stages.2.blocks.0 › attention
  coatnet({ ...tiny, dims: [64, 96, 200, 384] }),
)

export const wrongHeadsFromTheSecondBlockOn = pipe(
  input(224, 224, 3),
  // says: attention: 200 channels do not split into heads of 32 (14×14×200)
  // at: stages.2.blocks.1 › attention
  coatnet({ ...tiny, dims: [64, 96, 200, 384], expandFirst: false }),
)

export const aMapThatDoesNotMatch = pipe(
  input(228, 228, 3),
  // says: mbConv: the shortcut turns 57×57×64 into 28×28×96, but the branch turns it into 29×29×96
  // at: stages.1.blocks.0 › mbConv
  // remedy: an even height and an even width fit
  coatnet(tiny),
)

export const aMapThatDoesNotHalve = pipe(
  input(224, 240, 3),
  // says: transformerBlock2d: a 14×15 map does not halve
  // at: stages.3.blocks.0 › transformerBlock2d
  // remedy: an even height and an even width fit
  coatnet(tiny),
)

// gives: [28, 28, 192]
export const strided = pipe(input(56, 56, 96), mbConv({ dim: 192, stride: 2 }), repeat(3, mbConv({ dim: 192 })))

// gives: [29, 29, 192]
export const roundedUp = pipe(input(57, 57, 96), mbConv({ dim: 192, stride: 2, pool: 'max3' }))

// gives: [28, 28, 192]
export const roundedDown = pipe(input(57, 57, 96), mbConv({ dim: 192, stride: 2, strideMode: 'pool' }))

export const aShortcutWithoutAConvolution = pipe(
  input(56, 56, 96),
  // says: mbConv: the shortcut turns 56×56×96 into 56×56×96, but the branch turns it into 56×56×192
  mbConv({ dim: 192 }),
)

export const aBottleneckOfTokens = pipe(
  input(196, 192),
  // says: mbConv: expects an image of height×width×channels, got 196×192
  mbConv({ dim: 192 }),
)

export const nothingLeftToHalve = pipe(
  input(2, 2, 8),
  // says: mbConv: a 1×1 map does not halve
  // at: stages.1 › mbConv
  // remedy: an even height and an even width fit
  stages(mbConv({ dim: 8, stride: 2 }), mbConv({ dim: 8, stride: 2, strideMode: 'pool' })),
)

// gives: [14, 14, 384]
export const transformer = pipe(input(28, 28, 192), transformerBlock2d({ dim: 384, stride: 2 }), transformerBlock2d({ dim: 384 }))

export const aTransformerThatWidens = pipe(
  input(28, 28, 192),
  // says: transformerBlock2d: the shortcut turns 28×28×192 into 28×28×192, but the branch turns it into 28×28×384
  transformerBlock2d({ dim: 384 }),
)

export const aTransformerOfATable = pipe(
  input(10, 10),
  // says: transformerBlock2d: expects an image of height×width×channels, got 10×10
  transformerBlock2d({ dim: 32 }),
)

// gives: [7, 5, 96]
export const attended = pipe(input(7, 5, 64), relativeAttention2d({ dim: 96, headDim: 16, expandFirst: false }))

export const headsOfAnotherSize = pipe(
  input(7, 5, 64),
  // says: attention: 64 channels do not split into heads of 24 (7×5×64)
  // at: attn › attention
  named('attn', relativeAttention2d({ headDim: 24 })),
)

// gives: [7, 5, 64]
export const halves = pipe(input(15, 10, 64), downsample2d())

// gives: [8, 5, 10]
export const halvesUp = pipe(input(15, 9, 64), downsample2d({ dim: 10, padding: 'same' }))

export const aLineThatDoesNotHalve = pipe(
  input(1, 10, 64),
  // says: downsample2d: a 1×10 map does not halve
  downsample2d(),
)

// gives: [28, 29, 24]
export const apart = pipe(input(56, 57, 24), depthwiseConv2d({ kernelSize: 3, stride: 2, padding: 'same' }), squeezeExcite())

export const aLargeKernel = pipe(
  input(4, 9, 24),
  // says: depthwiseConv2d: a 7×7 kernel is larger than the padded image 4×9
  depthwiseConv2d({ kernelSize: 7, padding: 1 }),
)

export const aGateWithoutAMap = pipe(
  input(4, 9, 24),
  globalPool(),
  // says: squeezeExcite: expects an image of height×width×channels, got 24
  serial(squeezeExcite(), linear(5)),
)

// at run time: mbConv: 768 channels do not split into groups of 5
export const groups = pipe(input(8, 8, 192), mbConv({ dim: 192, groupSize: 5 }))

// at run time: depthwiseConv2d: 24 channels do not split into groups of 5
export const otherGroups = pipe(input(8, 8, 24), depthwiseConv2d({ kernelSize: 3, padding: 1, groupSize: 5 }))
