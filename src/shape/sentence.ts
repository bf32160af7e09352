/**
 * Every sentence a shape error can say, once. The compiler fills the same template as the run time, so
 * a wrong recipe reads the same in an editor, in a `Left` and in a log.
 */
export const sentences = {
  expectsImage: '{layer}: expects an image of height×width×channels, got {shape}',
  expectsTokens: '{layer}: expects tokens×channels, got {shape}',
  expectsChannels: '{layer}: expects at least a channel axis, got {shape}',
  expectsWeights: '{layer}: expects attention weights of heads×queries×keys, got {shape}',
  expectsIntegers: '{layer}: expects integers (token ids), got {shape}',
  expectsRecord: '{layer}: expects a record of signals, got {shape}',
  expectsTensor: '{layer}: expects one tensor, got {shape}',
  expectsShape: 'expectShape: {expected} was declared, but {shape} arrives',
  headsDoNotSplit: 'attention: {channels} channels do not split into {numHeads} heads ({shape})',
  patchesDoNotFit: 'patchEmbed: {height}×{width} does not divide into {patchHeight}×{patchWidth} patches with stride {strideHeight}×{strideWidth}',
  patchTooLarge: 'patchEmbed: a {patchHeight}×{patchWidth} patch is larger than the image {height}×{width}',
  kernelDoesNotFit: 'conv2d: a {kernel}×{kernel} kernel is larger than the padded image {height}×{width}',
  windowDoesNotFit: '{layer}: a {size}×{size} window is larger than the padded image {height}×{width}',
  normGroupsDoNotSplit: 'groupNorm: {channels} channels do not split into {numGroups} groups ({shape})',
  groupsDoNotSplit: 'conv2d: {channels} channels in and {dim} out do not both split into {groups} groups',
  depthwiseKernelDoesNotFit: 'depthwiseConv2d: a {kernel}×{kernel} kernel is larger than the padded image {height}×{width}',
  groupSizeDoesNotSplit: '{layer}: {channels} channels do not split into groups of {groupSize}',
  mapDoesNotHalve: '{layer}: a {height}×{width} map does not halve',
  shortcutMisfit: '{layer}: the shortcut turns {before} into {shortcut}, but the branch turns it into {branch}',
  headDimDoesNotSplit: 'attention: {channels} channels do not split into heads of {headDim} ({shape})',
  residualMisfit: 'residual: the branch turns {before} into {after}, which cannot be added to its input',
  repeatMisfit: 'repeat: the block turns {before} into {after}, so it cannot follow itself',
  channelsDoNotHalve: '{layer}: {channels} channels do not split into halves ({shape})',
  cannotKeep: 'keepTokens: cannot keep {keep} of {tokens} tokens ({shape})',
  expectsScores: '{layer}: expects two scores for each token, to keep and to drop it, got {shape}',
  boxDiffers: 'mixTokens: the map is {height}×{width}, but the box is {shape}',
  noSuchToken: 'takeToken: there is no token {index} among {tokens} ({shape})',
  prefixTooLong: '{layer}: {prefixTokens} prefix tokens leave nothing of {tokens} ({shape})',
  noiseMisfit: 'maskTokens: {tokens} tokens after {prefixTokens} others need one number of noise each, got {noise}',
  nothingKept: 'maskTokens: masking {maskRatio} of {tokens} tokens keeps none',
  placesMisfit: 'unmaskTokens: {tokens} tokens after {prefixTokens} others do not fit into {places} places',
  foldMisfit: 'fold: a {height}×{width} map has {rows}×{columns} windows of {size}×{size}, but {shape} arrives',
  tokensDiffer: 'positionEmbed: made for {expected} tokens, but {tokens} arrive ({shape})',
  gridMisfit: 'positionEmbed: a {height}×{width} grid does not fit {tokens} tokens ({shape})',
  positionsDoNotSplit: 'positionEmbed: {channels} channels do not split into {parts} parts for {kind} positions ({shape})',
  noSquareGrid: 'gatedPositionalAttention: {tokens} tokens are no square grid of patches ({shape})',
  gridDoesNotHold: 'gatedPositionalAttention: a {height}×{width} grid does not hold {tokens} tokens ({shape})',
  windowsDoNotFit: 'windows: {height}×{width} does not divide into windows of {windowHeight}×{windowWidth}',
  windowsChange: 'windows: the block turns {before} into {after}, whose tokens have no places in the map',
  windowDiffers: 'attention: {tokens} tokens are not a window of {windowHeight}×{windowWidth} ({shape})',
  stageDoesNotDivide: 'stage {stage} is {height}×{width} and does not divide into windows of {window}',
  patchesDoNotMerge: 'patchMerging: {height}×{width} does not divide into 2×2 neighbours',
  mergeMisfit: 'merge({how}): {left} is {leftShape}, but {right} is {rightShape}',
  mergeExpectsTensors: 'merge({how}): {field} is {shape}, not one tensor of floats',
  nothingToMerge: 'merge({how}): the record that arrives has no fields',
  tooFewTokens: 'firstTokens: {tokens} tokens have no first {count} ({shape})',
  joinMisfit: 'joinTokens: {left} is {leftShape}, but {right} is {rightShape}',
  joinExpectsTokens: 'joinTokens: {field} is {shape}, not tokens×channels',
  nothingToJoin: 'joinTokens: the record that arrives has no fields',
  noSquareMap: 'tokensToMap: {tokens} tokens are no square map ({shape})',
  mapDoesNotHold: 'tokensToMap: a {height}×{width} map does not hold {tokens} tokens ({shape})',
  noLevels: '{layer}: the record that arrives has no levels',
  levelExpectsMap: '{layer}: level {field} is {shape}, not a map of height×width×channels',
  keysDiffer: 'crossAttention: what is attended to is {memory}, but its keys are {shape}',
  positionsDiffer: 'decoderBlock: {of} is {expected}, but its positions are {shape}',
  idsMisfit: 'takeLargestToken: {tokens} tokens need as many ids, got {ids}',
  memoryDiffers: 'crossAttention: tokens are {shape}, but what they attend to is {memory}',
  expectsFeatures: '{layer}: expects one vector of features, got {shape}',
  towersDiffer: 'similarityScale: images have {image} features, but texts have {text}',
  noSuchField: '{layer}: there is no field {field} in the record that arrives',
} as const

/** The name of a sentence; also the `code` of the error that says it. */
export type SentenceCode = keyof typeof sentences

/** Both sides of each misfit, as `[expected, actual]`: what the sentence tells in words, for programs. */
const sides: { readonly [C in SentenceCode]: readonly [expected: string, actual: string] } = {
  expectsImage: ['height×width×channels', '{shape}'],
  expectsTokens: ['tokens×channels', '{shape}'],
  expectsChannels: ['at least a channel axis', '{shape}'],
  expectsWeights: ['heads×queries×keys', '{shape}'],
  expectsIntegers: ['integers', '{shape}'],
  expectsRecord: ['a record', '{shape}'],
  expectsTensor: ['one tensor', '{shape}'],
  expectsShape: ['{expected}', '{shape}'],
  headsDoNotSplit: ['a multiple of {numHeads} channels', '{channels}'],
  patchesDoNotFit: ['whole steps of {strideHeight}×{strideWidth}', '{height}×{width}'],
  patchTooLarge: ['at least {patchHeight}×{patchWidth}', '{height}×{width}'],
  kernelDoesNotFit: ['at least {kernel}×{kernel}', '{height}×{width}'],
  windowDoesNotFit: ['at least {size}×{size}', '{height}×{width}'],
  normGroupsDoNotSplit: ['a multiple of {numGroups} channels', '{channels}'],
  groupsDoNotSplit: ['multiples of {groups} channels', '{channels} in, {dim} out'],
  depthwiseKernelDoesNotFit: ['at least {kernel}×{kernel}', '{height}×{width}'],
  groupSizeDoesNotSplit: ['a multiple of {groupSize} channels', '{channels}'],
  mapDoesNotHalve: ['an even height and width', '{height}×{width}'],
  shortcutMisfit: ['{shortcut}', '{branch}'],
  headDimDoesNotSplit: ['a multiple of {headDim} channels', '{channels}'],
  residualMisfit: ['{before}', '{after}'],
  repeatMisfit: ['{before}', '{after}'],
  channelsDoNotHalve: ['an even number of channels', '{channels}'],
  cannotKeep: ['at least {keep} tokens', '{tokens}'],
  expectsScores: ['tokens×2', '{shape}'],
  boxDiffers: ['{height}×{width}', '{shape}'],
  noSuchToken: ['more than {index} tokens', '{tokens}'],
  prefixTooLong: ['more than {prefixTokens} tokens', '{tokens}'],
  noiseMisfit: ['{tokens}', '{noise}'],
  nothingKept: ['at least one', 'none'],
  placesMisfit: ['at least {tokens} places', '{places}'],
  foldMisfit: ['{rows}×{columns} places, channels a multiple of {size}×{size}', '{shape}'],
  tokensDiffer: ['{expected} tokens', '{tokens}'],
  gridMisfit: ['at least {height}×{width} tokens', '{tokens}'],
  positionsDoNotSplit: ['a multiple of {parts} channels', '{channels}'],
  noSquareGrid: ['a square number of tokens', '{tokens}'],
  gridDoesNotHold: ['{height}×{width} tokens', '{tokens}'],
  windowsDoNotFit: ['multiples of {windowHeight}×{windowWidth}', '{height}×{width}'],
  windowsChange: ['{before}', '{after}'],
  windowDiffers: ['{windowHeight}×{windowWidth} tokens', '{tokens}'],
  stageDoesNotDivide: ['multiples of {window}', '{height}×{width}'],
  patchesDoNotMerge: ['an even height and width', '{height}×{width}'],
  mergeMisfit: ['{leftShape}', '{rightShape}'],
  mergeExpectsTensors: ['one tensor of floats', '{shape}'],
  nothingToMerge: ['at least one field', 'none'],
  tooFewTokens: ['at least {count} tokens', '{tokens}'],
  joinMisfit: ['{leftShape}', '{rightShape}'],
  joinExpectsTokens: ['tokens×channels', '{shape}'],
  nothingToJoin: ['at least one field', 'none'],
  noSquareMap: ['a square number of tokens', '{tokens}'],
  mapDoesNotHold: ['{height}×{width} tokens', '{tokens}'],
  noLevels: ['at least one level', 'none'],
  levelExpectsMap: ['height×width×channels', '{shape}'],
  keysDiffer: ['{memory}', '{shape}'],
  positionsDiffer: ['{expected}', '{shape}'],
  idsMisfit: ['{tokens} ids', '{ids}'],
  memoryDiffers: ['{shape}', '{memory}'],
  expectsFeatures: ['one vector', '{shape}'],
  towersDiffer: ['{image}', '{text}'],
  noSuchField: ['a field {field}', 'none'],
}

type Filling = Readonly<Record<string, string | number>>
type Fill<T extends string, A extends Filling> = T extends `${infer Head}{${infer K}}${infer Tail}`
  ? K extends keyof A ? `${Head}${A[K]}${Fill<Tail, A>}` : never
  : T

/**
 * The sentence of a code, filled in by the compiler.
 *
 * @example
 * type T = Sentence<'expectsTokens', { layer: 'mlp'; shape: '1000' }> // 'mlp: expects tokens×channels, got 1000'
 */
export type Sentence<C extends SentenceCode, A extends Filling> = Fill<(typeof sentences)[C], A>

const filled = (template: string, filling: Filling): string => template.replace(/\{(\w+)\}/g, (_, key: string) => String(filling[key]))

/**
 * The sentence of a code, filled in at run time.
 *
 * @example
 * sentence('expectsTokens', { layer: 'mlp', shape: '1000' }) // 'mlp: expects tokens×channels, got 1000'
 */
export const sentence = (code: SentenceCode, filling: Filling): string => filled(sentences[code], filling)

/**
 * What was needed and what was there.
 *
 * @example
 * bothSides('expectsTokens', { layer: 'mlp', shape: '1000' }).expected // 'tokens×channels'
 */
export const bothSides = (code: SentenceCode, filling: Filling): { readonly expected: string; readonly actual: string } => ({ expected: filled(sides[code][0], filling), actual: filled(sides[code][1], filling) })
