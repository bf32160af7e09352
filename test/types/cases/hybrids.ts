import { pipe } from 'fp-ts/lib/function.js'
import { averagePool, conv2d, flattenTokens, groupNorm, input, linear, maxPool, named, patchEmbed, residual, resize, serial, stdConv2d, type Model } from 'vitrail'
import { convit, hybrid, hybridVit, recipes, resnetD, resnetV2, vit } from 'vitrail/recipes'

const small = { dim: 384, depth: 12, numHeads: 6 } as const

export const aMapThatDoesNotDivide = pipe(
  input(224, 224, 3),
  // says: patchEmbed: 7×7 does not divide into 2×2 patches with stride 2×2
  // at: patch_embed.proj › patchEmbed
  // remedy: the nearest sizes that fit: 6, 8
  hybrid(resnetV2({ stageDepths: [2, 2, 2, 2] }), vit({ patchSize: 2, ...small })),
)

export const aMapThatIsTooSmall = pipe(
  input(64, 64, 3),
  // says: patchEmbed: a 8×8 patch is larger than the image 4×4
  // at: patch_embed.proj › patchEmbed
  hybridVit({ stageDepths: [3, 4, 9], patchSize: 8, ...small }),
)

export const aMapThatIsNoSquare = pipe(
  input(224, 256, 3),
  // says: gatedPositionalAttention: 224 tokens are no square grid of patches (224×384)
  // at: blocks.0 › gatedPositionalAttention
  // remedy: give the grid, or let the class token join after these blocks
  hybrid(resnetD({ stageDepths: [3, 4, 6] }), convit({ patchSize: 1, ...small })),
)

export const aBackboneThatGivesTokens = pipe(
  input(224, 224, 3),
  // says: patchEmbed: expects an image of height×width×channels, got 196×64
  // at: patch_embed.proj › patchEmbed
  hybrid(serial(patchEmbed({ patchSize: 16, dim: 64 }), flattenTokens()), vit({ patchSize: 1, ...small })),
)

export const aBackboneThatDoesNotFitTheImage = pipe(
  input(224, 3),
  // says: conv2d: expects an image of height×width×channels, got 224×3
  // at: patch_embed.backbone.stem.conv › conv2d
  hybridVit({ stageDepths: [3, 4, 9], patchSize: 1, ...small }),
)

export const groupsOfTheStem = pipe(
  input(224, 224, 3),
  // says: groupNorm: 48 channels do not split into 32 groups (112×112×48)
  // at: patch_embed.backbone.stem.norm › groupNorm
  hybridVit({ stageDepths: [3, 4, 9], stemDim: 48, patchSize: 1, ...small }),
)

export const headsBehindABackbone = pipe(
  input(224, 224, 3),
  // says: attention: 384 channels do not split into 5 heads (197×384)
  // at: blocks.0 › attention
  hybridVit({ stageDepths: [3, 4, 9], patchSize: 1, dim: 384, depth: 12, numHeads: 5 }),
)

export const groupsOfANorm = pipe(
  input(56, 56, 48),
  // says: groupNorm: 48 channels do not split into 32 groups (56×56×48)
  groupNorm(),
)

export const aStandardisedKernel = pipe(
  input(5, 5, 3),
  // says: conv2d: a 7×7 kernel is larger than the padded image 5×5
  stdConv2d({ dim: 8, kernelSize: 7 }),
)

export const aWindowLargerThanTheMap = pipe(
  input(2, 9, 3),
  // says: maxPool: a 3×3 window is larger than the padded image 2×9
  maxPool({ size: 3 }),
)

export const aMeanOfTokens = pipe(
  input(49, 64),
  // says: averagePool: expects an image of height×width×channels, got 49×64
  averagePool({ size: 2 }),
)

export const tokensAtAnotherSize = pipe(
  input(49, 64),
  // says: resize: expects an image of height×width×channels, got 49×64
  resize(32),
)

export const aShortcutThatDiffers = pipe(
  input(56, 56, 64),
  // says: residual: the shortcut turns 56×56×64 into 56×56×256, but the branch turns it into 28×28×256
  residual(conv2d({ dim: 256, kernelSize: 3, stride: 2, padding: 1 }), named('downsample', conv2d({ dim: 256, kernelSize: 1 }))),
)

export const aShortcutThatDoesNotFit = pipe(
  input(64, 8),
  // says: conv2d: expects an image of height×width×channels, got 64×8
  // at: downsample › conv2d
  residual(linear(16), named('downsample', conv2d({ dim: 16, kernelSize: 1 }))),
)

// gives: [28, 28, 256]
export const aShortcut = pipe(input(56, 56, 64), residual(conv2d({ dim: 256, kernelSize: 3, stride: 2, padding: 1 }), conv2d({ dim: 256, kernelSize: 1, stride: 2 })))

// gives: [4, 3, 5]
export const oddSizesHalved = pipe(input(7, 6, 5), maxPool({ size: 3, stride: 2, padding: 'same' }))

// gives: [4, 3, 5]
export const oddSizesHalvedAsPyTorch = pipe(input(7, 6, 5), averagePool({ size: 3, stride: 2, padding: 1 }))

// gives: [3, 3, 5]
export const floored = pipe(input(7, 6, 5), maxPool({ size: 2 }))

// gives: [9, 4, 5]
export const resized = pipe(input(7, 6, 5), resize([9, 4], { kind: 'bicubic' }))

// gives: [8, 7, 1024]
export const anOddImage = pipe(input(113, 97, 3), resnetV2({ stageDepths: [1, 1, 1] }))

// gives: [4, 4, 2048]
export const anOddImageSymmetrically = pipe(input(113, 97, 3), resnetV2({ stageDepths: [1, 1, 1, 1], padding: 'symmetric' }))

// gives: [2, 2, 512]
export const fiveStages = pipe(input(113, 97, 3), resnetV2({ stageDepths: [1, 1, 1, 1, 1], stageDims: [128, 128, 256, 256, 512] }))

const depths: readonly number[] = [1, 2]
// gives: [number, number, number]
export const stagesUnknown = pipe(input(113, 97, 3), resnetV2({ stageDepths: depths }))

// gives: [29, 25, 64]
export const aStemAlone = pipe(input(113, 97, 3), resnetV2({}))

// gives: [15, 13, 40]
export const theOtherKind = pipe(input(113, 97, 3), resnetD({ stageDepths: [1, 1], stageDims: [16, 40], stemDim: 16 }))

// gives: [1000]
export const published: Model<readonly [384, 384, 3], readonly [1000]> = recipes.vit_base_r50_s16_384.model

// gives: [1000]
export const stemOnly: Model<readonly [224, 224, 3], readonly [1000]> = recipes.vit_tiny_r_s16_p8_224.model

// gives: [1000]
export const withBatchNorms: Model<readonly [224, 224, 3], readonly [1000]> = recipes.vit_small_resnet50d_s16_224.model

// gives: [10]
export const anyBackbone = pipe(input(32, 32, 3), hybrid(conv2d({ dim: 16, kernelSize: 3, stride: 4, padding: 1 }), vit({ patchSize: 2, dim: 32, depth: 2, numHeads: 2, numClasses: 10 })))

// at run time: groupNorm: 16 channels do not split into 32 groups (28×28×16)
export const groupsOfALaterStage = pipe(input(112, 112, 3), resnetV2({ stageDepths: [1, 1], stageDims: [256, 36] }))
