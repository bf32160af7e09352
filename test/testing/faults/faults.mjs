/**
 * Faults as people make them: each changes a line of the built library. `vitrail check TARGET` must find every one.
 * `file` is below `dist`; `find` is there exactly once, or is the first of several.
 *
 * @typedef {{ name: string, category: string, file: string, find: string, replace: string, target: string }} Fault
 */

const layer = name => `src/layers/${name}.js`
const recipe = name => `recipes/${name}.js`
const vit = 'vit_tiny_patch16_224'
const swin = 'swin_tiny_patch4_window7_224'
const convit = 'convit_tiny'
const coatnet = 'coatnet_0_224'
const rmlp = 'coatnet_rmlp_nano_rw_224'
const hybrid = 'vit_tiny_r_s16_p8_224'
const distilled = 'deit_tiny_distilled_patch16_224'

/** @type {readonly Fault[]} */
export const faults = [
  // shape
  { name: 'patchMerging keeps the channels', category: 'shape', file: layer('patchMerging'), find: 'shape: [dim ?? joined / 2, joined]', replace: 'shape: [dim ?? joined / 4, joined]', target: swin },
  { name: 'classToken prepends two', category: 'shape', file: layer('classToken'), find: "'cls_token', 1, {", replace: "'cls_token', 2, {", target: vit },
  { name: 'globalPool forgets the prefix', category: 'shape', file: layer('globalPool'), find: 'slice(x, [prefixTokens, 0], [x.shape[0] - prefixTokens, x.shape[1]])', replace: 'slice(x, [0, 0], [x.shape[0] - prefixTokens, x.shape[1]])', target: 'vit_tiny_patch16_224_gap' },
  { name: 'mlp expands by the wrong number', category: 'shape', file: layer('mlp'), find: 'Math.floor(dim * mlpRatio)', replace: 'Math.floor(dim * (mlpRatio - 1))', target: vit },
  { name: 'downsample2d pools by three', category: 'shape', file: layer('downsample2d'), find: "kind === 'average2' || kind === 'max2' ? 2 : 3", replace: "kind === 'average2' || kind === 'max2' ? 3 : 3", target: coatnet },
  { name: 'mlp forgets its second map', category: 'shape', file: layer('mlp'), find: "return dropped(apply(linear(dim, { bias }), dropped(inner, 'drop1'), 'fc2'), 'drop2')", replace: "return dropped(inner, 'drop1')", target: vit },
  { name: 'linear declares its weight the other way round', category: 'shape', file: layer('linear'), find: 'weight: { shape: [dim, shape.at(-1)]', replace: 'weight: { shape: [shape.at(-1), dim]', target: vit },
  { name: 'patchEmbed lets every image pass', category: 'shape', file: layer('patchEmbed'), find: '() => fit(shape, [patchHeight, patchWidth], [strideHeight, strideWidth])', replace: '() => undefined', target: vit },
  { name: 'attention lets every number of heads pass', category: 'shape', file: layer('selfAttention'), find: 'shape[1] % numHeads === 0 ? undefined :', replace: 'true ? undefined :', target: vit },
  { name: 'patchEmbed counts columns by the height', category: 'shape', file: layer('patchEmbed'), find: 'strides: [strideHeight, strideWidth]', replace: 'strides: [strideHeight, strideHeight]', target: vit },
  { name: 'residual accepts a branch that changes its shape', category: 'shape', file: layer('residual'), find: 'isTensor(kept) && sameShape(kept.shape, y.shape)', replace: 'isTensor(kept)', target: convit },
  { name: 'globalPool throws', category: 'shape', file: layer('globalPool'), find: 'const axes = x.shape.slice(0, -1)', replace: 'const axes = x.shapes.slice(0, -1)', target: 'vit_tiny_patch16_224_gap' },
  // wiring
  { name: 'selfAttention takes keys for values', category: 'wiring', file: layer('selfAttention'), find: "normalised(part(1), 'k_norm'), part(2)]", replace: "normalised(part(1), 'k_norm'), part(1)]", target: vit },
  { name: 'selfAttention exchanges queries and keys', category: 'wiring', file: layer('selfAttention'), find: "[normalised(part(0), 'q_norm'), normalised(part(1), 'k_norm'), part(2)]", replace: "[normalised(part(1), 'q_norm'), normalised(part(0), 'k_norm'), part(2)]", target: vit },
  { name: 'selfAttention scales by the wrong dim', category: 'wiring', file: layer('selfAttention'), find: 'ownScale ?? headDim ** -0.5', replace: 'ownScale ?? dim ** -0.5', target: vit },
  { name: 'encoderBlock norms after the branch', category: 'wiring', file: layer('encoderBlock'), find: "normPlacement === 'pre' ? run(normalise, `norm${i}`)(t) : t", replace: "normPlacement === 'pre' ? t : run(normalise, `norm${i}`)(t)", target: vit },
  { name: 'encoderBlock feeds the MLP from the block input', category: 'wiring', file: layer('encoderBlock'), find: "return branch(branch(x, 'attn', attn, 1), 'mlp', feedForward, 2)", replace: "return branch((branch(x, 'attn', attn, 1), x), 'mlp', feedForward, 2)", target: vit },
  { name: 'mbConv excites before the norm', category: 'wiring', file: layer('mbConv'), find: "const late = excite === 'late' ? run(gate, activated, 'se') : activated", replace: "const late = excite === 'late' ? run(gate, early, 'se') : activated", target: coatnet },
  { name: 'transformerBlock2d feeds attention from the input', category: 'wiring', file: layer('transformerBlock2d'), find: "projDropout: rate }), front, 'attn')", replace: "projDropout: rate }), stride === 2 ? front : x, 'attn')", target: coatnet },
  { name: 'convMlp without its activation', category: 'wiring', file: layer('transformerBlock2d'), find: "const inner = activations[activation](apply(conv2d({ dim: hidden, kernelSize: 1 }), x, 'fc1'))", replace: "const inner = apply(conv2d({ dim: hidden, kernelSize: 1 }), x, 'fc1')", target: coatnet },
  { name: 'windows rolls back the wrong way', category: 'wiring', file: layer('windows'), find: 'rolled(whole, [-by[0], -by[1]])', replace: 'rolled(whole, [by[0], by[1]])', target: swin },
  { name: 'windows forgets the mask', category: 'wiring', file: layer('windows'), find: 'mask === undefined ? { size } : { size, mask }', replace: '{ size }', target: swin },
  { name: 'shiftedWindowMask of the other axis', category: 'wiring', file: 'src/layers/core/shiftedWindowMask.js', find: '3 * region(top + Math.floor(t / window[1]), 0) + region(left + (t % window[1]), 1)', replace: 'region(left + (t % window[1]), 1)', target: swin },
  { name: 'the gate of gatedPositionalAttention is the wrong way round', category: 'wiring', file: layer('gatedPositionalAttention'), find: 'add(multiply(byContent, subtract(scalar(1), gate)), multiply(byPosition, gate))', replace: 'add(multiply(byContent, gate), multiply(byPosition, subtract(scalar(1), gate)))', target: convit },
  { name: 'takeToken takes the next one', category: 'wiring', file: layer('takeToken'), find: 'slice(x, [index, 0]', replace: 'slice(x, [Math.min(index + 1, x.shape[0] - 1), 0]', target: vit },
  { name: 'classToken comes last', category: 'wiring', file: 'src/layers/core/prependTokens.js', find: 'concat([reshape(learned, [count, x.shape[1]]), x], 0)', replace: 'concat([x, reshape(learned, [count, x.shape[1]])], 0)', target: vit },
  { name: 'batchNorm forgets the running mean', category: 'wiring', file: layer('batchNorm'), find: 'subtract(bias, multiply(average, scale))', replace: 'bias', target: coatnet },
  { name: 'relativeAttention2d reads the bias backwards', category: 'wiring', file: layer('relativeAttention2d'), find: "return relativePositionBias(of('relative_position_bias_table'), relativePositions(height, width));", replace: "return relativePositionBias(of('relative_position_bias_table'), relativePositions(width, height));", target: coatnet },
  { name: 'relativePositionIndex counts rows by the height', category: 'wiring', file: 'src/layers/core/relativePositionIndex.js', find: '(dy + height - 1) * (2 * width - 1) + dx + width - 1', replace: '(dy + height - 1) * (2 * height - 1) + dx + width - 1', target: rmlp },
  // parameter sharing
  { name: 'repeat feeds every block from the first input', category: 'wiring', file: layer('repeat'), find: 'apply(at(index), signal, String(first + index))', replace: 'apply(at(index), x, String(first + index))', target: vit },
  { name: 'parallel runs the first layer for all', category: 'sharing', file: layer('parallel'), find: 'apply(layers[name], signal, ', replace: 'apply(Object.values(layers)[0], Object.values(x)[0], ', target: distilled },
  { name: 'squeezeExcite uses one map twice', category: 'sharing', file: layer('squeezeExcite'), find: "multiply(x, sigmoid(project(excited, 'fc2')))", replace: "multiply(x, sigmoid(multiply(project(excited, 'fc2'), project(excited, 'fc2'))))", target: coatnet },
  { name: 'layerNorm shifts by its scale', category: 'sharing', file: layer('layerNorm'), find: "beta: parameters['bias']", replace: "beta: parameters['weight']", target: vit },
  // dropped branch
  { name: 'residual drops its branch', category: 'dropped', file: layer('residual'), find: 'return add(kept, y)', replace: 'return kept', target: swin },
  { name: 'residual drops its input', category: 'dropped', file: layer('residual'), find: 'return add(kept, y)', replace: 'return y', target: convit },
  { name: 'mbConv drops its shortcut', category: 'dropped', file: layer('mbConv'), find: "run(dropPath(rate), narrow, 'drop_path'), shortcut)", replace: "run(dropPath(rate), narrow, 'drop_path'), narrow)", target: coatnet },
  { name: 'merge forgets the last field', category: 'dropped', file: layer('merge'), find: 'const total = rest.reduce(add, first)', replace: 'const total = rest.slice(1).reduce(add, first)', target: distilled },
  { name: 'positionEmbed adds nothing', category: 'dropped', file: layer('positionEmbed'), find: 'return table === undefined ? x : add(x, table)', replace: 'return x', target: vit },
  { name: 'selfAttention forgets its last projection', category: 'dropped', file: layer('selfAttention'), find: 'const projected = linear(attended, parameters[names.proj[0]], parameters[names.proj[1]])', replace: 'const projected = attended', target: vit },
  { name: 'linear forgets its bias', category: 'dropped', file: layer('linear'), find: 'return project(x, weight, shift)', replace: 'return project(x, weight)', target: vit },
  { name: 'serial skips the second layer of three', category: 'dropped', file: layer('serial'), find: 'layers.reduce((signal, layer) => apply(layer, signal), x)', replace: 'layers.filter((_, i) => layers.length !== 3 || i !== 1).reduce((signal, layer) => apply(layer, signal), x)', target: swin },
  { name: 'groupNorm without its shift', category: 'dropped', file: layer('groupNorm'), find: "add(multiply(reshape(back, x.shape), parameters['weight']), parameters['bias'])", replace: "multiply(reshape(back, x.shape), parameters['weight'])", target: hybrid },
  // batch mixing
  { name: 'layerNorm takes off the mean of the batch', category: 'batch', file: layer('layerNorm'), find: 'forward: (x, { parameters }) => normalise(x,', replace: 'forward: (x, { parameters }) => normalise(x.batched ? subtract(x, batchMean(x)) : x,', target: vit },
  { name: 'batchNorm takes statistics of the batch in inference', category: 'batch', file: layer('batchNorm'), find: "context.mode === 'training' ? ofBatch", replace: "context.mode === 'inference' ? ofBatch", target: coatnet },
  { name: 'globalPool mixes the batch', category: 'batch', file: layer('globalPool'), find: 'return mean(kept, axes)', replace: 'return add(multiply(mean(kept, axes), scalar(0.5)), multiply(batchMean(mean(kept, axes)), scalar(0.5)))', target: swin },
  // wrong axis
  { name: 'softmax over queries in gatedPositionalAttention', category: 'axis', file: layer('gatedPositionalAttention'), find: 'const byPosition = softmax(transpose(linear(offsets, ', replace: 'const byPosition = softmax(transpose(linear(transpose(offsets, [1, 0, 2]), ', target: convit },
  { name: 'patchMerging exchanges rows and columns', category: 'axis', file: layer('patchMerging'), find: '[0, 2, 3, 1, 4]', replace: '[0, 2, 1, 3, 4]', target: swin },
  { name: 'windows cuts rows for columns', category: 'axis', file: layer('windows'), find: 'reshape(transpose(reshape(x, [rows, height, columns, width, dim]), [0, 2, 1, 3, 4]), [rows * columns, height * width, dim])', replace: 'reshape(reshape(x, [rows, height, columns, width, dim]), [rows * columns, height * width, dim])', target: swin },
  { name: 'flattenTokens goes column by column', category: 'axis', file: layer('flattenTokens'), find: 'return reshape(x, [height * width, channels])', replace: 'return reshape(transpose(x, [1, 0, 2]), [height * width, channels])', target: vit },
  { name: 'groupNorm groups places', category: 'axis', file: layer('groupNorm'), find: 'const rows = reshape(transpose(reshape(x, [places, numGroups, inGroup]), [1, 0, 2]), [numGroups, places * inGroup])', replace: 'const rows = reshape(x, [numGroups, places * inGroup])', target: hybrid },
  { name: 'globalPool over channels of a map', category: 'axis', file: layer('globalPool'), find: 'return mean(kept, axes)', replace: 'return axes.length === 1 ? mean(kept, axes) : reshape(mean(reshape(kept, [kept.shape[2], kept.shape[0] * kept.shape[1]]), [1]), [kept.shape[2]])', target: swin },
  { name: 'squeezeExcite pools over one axis', category: 'axis', file: layer('squeezeExcite'), find: 'mean(x, [0, 1], true)', replace: 'mean(x, [0], true)', target: coatnet },
  { name: 'conv2d pads height for width', category: 'axis', file: layer('conv2d'), find: 'padding: [sides(x.shape[0]), sides(x.shape[1])]', replace: 'padding: [sides(x.shape[0]), sides(x.shape[0] + 1)]', target: 'vit_small_r26_s32_224' },
  { name: 'heads are taken apart channel by channel', category: 'axis', file: layer('gatedPositionalAttention'), find: 'transpose(reshape(t, [count, numHeads, headDim]), [1, 0, 2])', replace: 'transpose(reshape(t, [count, headDim, numHeads]), [2, 0, 1])', target: convit },
  // leaks, of what should stay apart
  { name: 'dropout acts in inference', category: 'leak', file: layer('core/../dropout'), find: 'drop(x, rate, x.shape, context)', replace: "drop(x, Math.max(rate, 0.1), x.shape, { ...context, mode: 'training' })", target: vit },
  { name: 'a layer keeps what it saw', category: 'leak', file: layer('layerScale'), find: 'multiply(x, parameters[\'gamma\'])', replace: "multiply(x, multiply(parameters['gamma'], scalar((globalThis.calls = (globalThis.calls ?? 0) + 1))))", target: 'deit3_small_patch16_224' },
  { name: 'a shifted window sees across its seam', category: 'leak', file: 'src/layers/core/shiftedWindowMask.js', find: '? 0 : at < map[axis] - shift[axis] ? 1 : 2', replace: '? 0 : 1', target: swin },
  { name: 'batchNorm remembers the wrong share', category: 'leak', file: layer('batchNorm'), find: 'add(multiply(parameters[name], scalar(1 - momentum)), multiply(value, scalar(momentum)))', replace: 'add(multiply(parameters[name], scalar(momentum)), multiply(value, scalar(1 - momentum)))', target: rmlp },
  { name: 'batchNorm takes statistics over the wrong axes in training', category: 'axis', file: layer('batchNorm'), find: 'const axes = x.shape.slice(0, -1).map((_, axis) => axis)', replace: 'const axes = x.shape.slice(0, -2).map((_, axis) => axis)', target: rmlp },
  { name: 'dropPath drops element by element', category: 'axis', file: layer('dropPath'), find: 'drop(x, rate, x.shape.map(() => 1), context)', replace: 'drop(x, rate, x.shape, context)', target: convit },
  { name: 'attention with dropped weights forgets its scale', category: 'dropped', file: 'src/layers/core/attentionWeights.js', find: 'scalar(scale))', replace: 'scalar(1))', target: vit },
  // NaN
  { name: 'batchNorm without its epsilon and of a negative', category: 'NaN', file: layer('batchNorm'), find: 'sqrt(add(variance, scalar(epsilon)))', replace: 'sqrt(subtract(variance, scalar(2)))', target: coatnet },
  { name: 'a softmax that overflows', category: 'NaN', file: layer('gatedPositionalAttention'), find: 'const byContent = softmax(', replace: 'const byContent = (t => divide(exp(t), sum(exp(t), [2], true)))(', target: convit },
  { name: 'a norm that divides by the deviation alone', category: 'NaN', file: layer('layerNorm'), find: 'normalise(x, epsilon, affine', replace: 'normalise(x, 0, affine', target: vit },
  { name: 'silu as x / (1 + exp(−x))', category: 'NaN', file: 'src/layers/core/activation.js', find: 'silu: (x) => multiply(x, sigmoidOp(x))', replace: 'silu: (x) => divideOp(multiply(x, expOp(x)), addOp(expOp(x), scalarOp(1)))', target: coatnet },
  // recipes
  { name: 'ViT without its last norm', category: 'recipe', file: recipe('vit'), find: 'finalNorm && !normsAfterPool(config) ? layerNorm({ epsilon }) : identity()', replace: 'finalNorm && normsAfterPool(config) ? layerNorm({ epsilon }) : identity()', target: vit },
  { name: 'ViT takes its second token', category: 'recipe', file: recipe('vit'), find: 'takeToken(0)', replace: 'takeToken(1)', target: vit },
  { name: 'ViT puts positions before the class token', category: 'recipe', file: recipe('vit'), find: "const covered = option(config, 'prefixPositions', true)", replace: "const covered = !option(config, 'prefixPositions', true)", target: vit },
  { name: 'ViT forgets a block', category: 'recipe', file: recipe('vit'), find: 'repeat(config.depth, index', replace: 'repeat(config.depth - 1, index', target: vit },
  { name: 'ViT norms in front of the blocks', category: 'recipe', file: recipe('vit'), find: "named('norm_pre', preNorm ?", replace: "named('norm_pre', !preNorm ?", target: vit },
  { name: 'DeiT feeds both heads from one token', category: 'recipe', file: recipe('deit'), find: 'head_dist: takeToken(1)', replace: 'head_dist: takeToken(0)', target: distilled },
  { name: 'DeiT adds its heads', category: 'recipe', file: recipe('deit'), find: "merge('average')", replace: "merge('add')", target: distilled },
  { name: 'Swin shifts the wrong blocks', category: 'recipe', file: recipe('swin'), find: 'shift: index % 2 === 0 ? 0 : half(windowSize)', replace: 'shift: index % 2 === 1 ? 0 : half(windowSize)', target: swin },
  { name: 'Swin never shifts', category: 'recipe', file: recipe('swin'), find: 'shift: index % 2 === 0 ? 0 : half(windowSize)', replace: 'shift: 0', target: swin },
  { name: 'Swin drops the norm of its patches', category: 'recipe', file: recipe('swin'), find: "option(config, 'patchNorm', true)", replace: "option(config, 'patchNorm', false)", target: swin },
  { name: 'Swin leaves the MLP out of the residual', category: 'recipe', file: recipe('swin'), find: "residual(serial(named('norm2'", replace: "serial(serial(named('norm2'", target: swin },
  { name: 'ConViT joins the class token at once', category: 'recipe', file: recipe('convit'), find: "takeToken(0)", replace: 'takeToken(2)', target: convit },
  { name: 'ConViT has local attention everywhere', category: 'recipe', file: recipe('convit'), find: "const local = option(config, 'localLayers', 10)", replace: "const local = option(config, 'localLayers', 9)", target: convit },
  { name: 'CoAtNet without the norm in its stem', category: 'recipe', file: recipe('coatnet'), find: "named('norm1', normalise(convNorm, convEpsilon)), activations[convActivation](),", replace: "activations[convActivation](), named('norm1', normalise(convNorm, convEpsilon)),", target: coatnet },
  { name: 'CoAtNet strides in the second block', category: 'recipe', file: recipe('coatnet'), find: "index === 0 ? 2 : 1, rate(index)", replace: 'index === 0 ? 2 : 1, index === 0 ? 0.5 : rate(index)', target: coatnet },
  { name: 'the hybrid forgets the pool of its stem', category: 'recipe', file: 'recipes/kit/resnet.js', find: "maxPool({ size: 3, stride: 2, padding: paddingOf(config.poolPadding ?? config.padding, 3) })", replace: "averagePool({ size: 3, stride: 2, padding: paddingOf(config.poolPadding ?? config.padding, 3) })", target: hybrid },
  { name: 'the hybrid leaves the last relu out', category: 'recipe', file: 'recipes/kit/resnet.js', find: 'residual(branch, shortcut) : residual(branch), relu())', replace: 'residual(branch, shortcut) : residual(branch), identity())', target: 'vit_small_r26_s32_224' },
]
