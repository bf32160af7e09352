import { pipe } from 'fp-ts/lib/function.js'
import { conv2d, expectShape, flattenTokens, input, linear, named, patchEmbed, softmax, attentionDropout, stages } from 'vitrail'

export const aKernelLargerThanTheImage = pipe(
  input(5, 224, 3),
  // says: conv2d: a 7×7 kernel is larger than the padded image 5×224
  conv2d({ dim: 64, kernelSize: 7 }),
)

export const evenWithPadding = pipe(
  input(224, 2, 3),
  // says: conv2d: a 7×7 kernel is larger than the padded image 224×2
  // at: stem › conv2d
  named('stem', conv2d({ dim: 64, kernelSize: 7, stride: 2, padding: 2 })),
)

export const onceAnImageHasShrunk = pipe(
  input(8, 8, 3),
  // says: conv2d: a 3×3 kernel is larger than the padded image 2×2
  // at: stages.2 › conv2d
  stages(conv2d({ dim: 8, kernelSize: 2, stride: 2 }), conv2d({ dim: 8, kernelSize: 2, stride: 2 }), conv2d({ dim: 8, kernelSize: 3 })),
)

export const aConvolutionOfTokens = pipe(
  input(196, 192),
  // says: conv2d: expects an image of height×width×channels, got 196×192
  conv2d({ dim: 64, kernelSize: 3 }),
)

export const anotherShapeThanDeclared = pipe(
  input(224, 224, 3),
  patchEmbed({ patchSize: 16, dim: 192 }),
  flattenTokens(),
  // says: expectShape: 197×192 was declared, but 196×192 arrives
  expectShape(197, 192),
)

export const anotherRankThanDeclared = pipe(
  input(224, 224, 3),
  // says: expectShape: 224×224 was declared, but 224×224×3 arrives
  // at: stem › expectShape
  named('stem', expectShape(224, 224)),
)

export const aNumberWithoutChannels = pipe(
  input(),
  // says: linear: expects at least a channel axis, got a single number
  linear(10),
)

export const weightsOfTokens = pipe(
  input(197, 192),
  softmax(),
  // says: attentionDropout: expects attention weights of heads×queries×keys, got 197×192
  attentionDropout(0.1),
)

// gives: [112, 112, 64]
export const stem = pipe(input(224, 224, 3), conv2d({ dim: 64, kernelSize: 7, stride: 2, padding: 3 }))

// gives: [1, 3, 5]
export const floored = pipe(input(4, 8, 2), conv2d({ dim: 5, kernelSize: 4, stride: 2 }))

// at run time: conv2d: 3 channels in and 8 out do not both split into 2 groups
export const groups = pipe(input(8, 8, 3), conv2d({ dim: 8, kernelSize: 3, groups: 2 }))
