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
  noSuchToken: 'takeToken: there is no token {index} among {tokens} ({shape})',
  prefixTooLong: '{layer}: {prefixTokens} prefix tokens leave nothing of {tokens} ({shape})',
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
  noSuchField: '{layer}: there is no field {field} in the record that arrives',
  vocabularyMisfit: '{layer}: expects a rank-1 or rank-2 signal, got {shape}',
} as const

/** The name of a sentence; also the `code` of the error that says it. */
export type SentenceCode = keyof typeof sentences

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

/**
 * The sentence of a code, filled in at run time.
 *
 * @example
 * sentence('expectsTokens', { layer: 'mlp', shape: '1000' }) // 'mlp: expects tokens×channels, got 1000'
 */
export const sentence = (code: SentenceCode, filling: Filling): string =>
  sentences[code].replace(/\{(\w+)\}/g, (_, key: string) => String(filling[key]))
