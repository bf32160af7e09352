import { pipe } from 'fp-ts/lib/function.js'
import { right } from 'fp-ts/lib/Either.js'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Backend, Device } from '../../src/backends/device.js'
import { reference } from '../../src/backends/reference/index.js'
import * as ops from '../../src/ops/ops.js'
import type { OpKind, Signal, Tensor } from '../../src/ops/tensor.js'
import { type AnyLayer, type AnyModel, type Context, defineLayer, identity, input, type Layer, type LayerParts, linear, named, relu, repeat, residual, serial, type ShapeFunction, softmax, windows } from '../../src/index.js'
import type { LawOptions } from '../../src/testing/laws/core/subject.js'
import type { laws } from '../../src/testing/laws/laws.js'

type Faulty = Layer<ShapeFunction>
type Parts = LayerParts<Tensor, never>

/** A layer of one's own, and one that passes for a layer of the library. */
const own = (parts: Parts, kind = 'faulty', args: readonly unknown[] = []): Faulty => {
  const make = (): AnyLayer => defineLayer<ShapeFunction>(kind, make, args, parts as never)
  return make() as Faulty
}
const posing = (make: unknown, kind: string, args: readonly unknown[], parts: Parts): Faulty => defineLayer<ShapeFunction>(kind, make as never, args, parts as never)

const on = (shape: readonly number[], ...layers: readonly Faulty[]): AnyModel => layers.reduce<AnyModel>((m, layer) => layer(m as never) as unknown as AnyModel, input(...shape) as unknown as AnyModel)
const run = ({ apply }: Context, layer: AnyLayer, x: Tensor): Tensor => apply(layer, x) as Tensor
const reversed = (x: Tensor): Tensor => ops.concat(Array.from({ length: x.shape[0]! }, (_, i) => ops.slice(x, [x.shape[0]! - 1 - i, 0], [1, x.shape[1]!])), 0)
const weight: Required<Pick<Parts, 'parameters'>> = { parameters: () => ({ w: { shape: [4], initialiser: { kind: 'ones' } } }) }

/** A backend that computes one op wrongly. */
const wrongOn = (op: OpKind): Backend => ({
  name: 'reference',
  open: async () => {
    const opened = await reference.open()
    if (opened._tag === 'Left') return opened
    const device = opened.right
    const kernel: Device['kernel'] = (node, batch) => {
      const found = device.kernel(node, batch)
      if (found._tag === 'Left' || node.op !== op) return found
      return right({
        ...found.right,
        run: inputs => {
          const y = found.right.run(inputs) as { readonly data: Float64Array }
          return { ...y, data: y.data.map(value => value * 1.001) }
        },
      })
    }
    return right({ ...device, kernel })
  },
})

/** A backend that makes a tensor at every op and forgets it. */
const leaking: Backend = {
  name: 'cpu',
  open: async () => {
    const opened = await cpu.open()
    if (opened._tag === 'Left') return opened
    const device = opened.right
    const kernel: Device['kernel'] = (node, batch) => {
      const found = device.kernel(node, batch)
      return found._tag === 'Left' ? found : right({ ...found.right, run: inputs => (device.upload(Float32Array.of(1), [1], 'float32'), found.right.run(inputs)) })
    }
    return right({ ...device, kernel })
  },
}

/** A batch norm that only takes off a mean, as it is told to, and remembers it with a momentum. */
const statistics = (meanOf: (x: Tensor) => Tensor, momentum = 0.1): Faulty => {
  const buffer = { shape: [4], role: 'buffer' } as const
  return own({
    config: { momentum: 0.1 },
    parameters: () => ({ running_mean: { ...buffer, initialiser: { kind: 'zeros' } }, running_var: { ...buffer, initialiser: { kind: 'ones' } } }),
    scope: 'bn',
    forward: (x, { mode, path, record, parameters }) => {
      if (mode === 'inference') return ops.divide(ops.subtract(x, parameters['running_mean']!), ops.sqrt(parameters['running_var']!))
      const mean = meanOf(x)
      const centred = ops.subtract(x, mean)
      const variance = ops.batchMean(ops.mean(ops.multiply(centred, centred), [0]))
      const blend = (name: string, value: Tensor): Signal => record(`${path}.${name}`, ops.add(ops.multiply(parameters[name]!, ops.scalar(1 - momentum)), ops.multiply(value, ops.scalar(momentum))))
      blend('running_mean', mean)
      blend('running_var', variance)
      return ops.divide(centred, ops.sqrt(variance))
    },
  })
}

let calls = 0
const block = linear(4)
const seen = softmax()

/** For each law models that break it, each with what its evidence must say. */
export const breaking: Partial<Readonly<Record<keyof typeof laws, readonly (readonly [model: AnyModel, evidence: RegExp, options?: LawOptions])[]>>> = {
  shapesAgree: [[on([5, 4], own({ forward: (x, { mode }) => (mode === 'training' ? ops.slice(x, [0, 0], [3, 4]) : x) })), /inferred 5×4, but traced 3×4 in training/]],
  parametersCounted: [[on([5, 4], own({ forward: (x, context) => (context.mode === 'training' ? run(context, block, x) : x) })), /only one of training and inference asks for linear.weight/]],
  batchIndependence: [[on([5, 4], own({ forward: x => ops.subtract(x, ops.batchMean(x)) })), /by definition, the output/], [on([5, 4], own({ forward: x => ops.divide(x, ops.batchSize()) })), /by definition/]],
  staysInReach: [
    [on([5, 4], own({ traits: { reach: 'place' }, forward: x => ops.add(x, reversed(x)) })), /changes the output.*which is not its place/],
    [on([5, 4], own({ traits: { reach: 'element' }, forward: x => ops.softmax(x) })), /which is not its element/],
    [on([4, 4], own({ traits: { reach: 'channel' }, forward: x => ops.transpose(x, [1, 0]) })), /which is not its channel/],
  ],
  tokenOrder: [
    [on([5, 4], own({ traits: { order: 'equivariant' }, forward: x => ops.add(x, ops.constant(Float32Array.from({ length: 20 }, (_, i) => i), [5, 4])) })), /with shuffled tokens/],
    [on([5, 4], own({ traits: { order: 'positional' }, forward: x => ops.relu(x) })), /positions have no effect/],
    [on([5, 4], own({ traits: { order: 'invariant' }, forward: x => ops.mean(reversed(ops.slice(x, [0, 0], [3, 4])), [0]) })), /with shuffled tokens/],
  ],
  windowsKeepApart: [
    [on([4, 6, 4], posing(windows, 'windows', [{ windowSize: 2 }, seen], { forward: x => ops.add(x, ops.mean(x, [0, 1], true)) })), /not the block on its tokens|another window/],
    [on([4, 6, 4], posing(windows, 'windows', [{ windowSize: [2, 3] }, relu()], { forward: x => ops.relu(ops.add(x, ops.mean(x, [0, 1], true))) })), /reaches row/],
  ],
  residualAdds: [[on([5, 4], posing(residual, 'residual', [block], { forward: (x, context) => run(context, block, x) })), /the output at/], [on([5, 4], posing(residual, 'residual', [block], { forward: (x, context) => ops.add(x, ops.add(x, run(context, block, x))) })), /the output at/]],
  repeatIsSerial: [[on([5, 4], posing(repeat, 'repeat', [3, block], { scope: 'blocks', forward: (x, { apply }) => apply(block, apply(block, x, '0'), '1') })), /its parameters are/], [on([5, 4], posing(repeat, 'repeat', [2, block], { scope: 'blocks', forward: (x, { apply }) => (apply(block, x, '0'), apply(block, x, '1')) })), /something else than 2 blocks/]],
  serialIsAssociative: [[on([5, 4], own({ forward: x => ops.multiply(x, ops.scalar(++calls)) })), /something else than its layers in a row/]],
  parametersMatter: [
    [on([5, 4], own({ ...weight, forward: x => x })), /nothing of the output depends on w/],
    [on([5, 4], own({ ...weight, forward: (x, { parameters }) => ops.add(ops.multiply(x, parameters['w']!), parameters['w']!) })), /'w' is used 2 times/],
    [on([5, 4], own({ ...weight, forward: (x, { parameters }) => ops.add(x, ops.multiply(parameters['w']!, ops.scalar(0))) })), /other values of w change nothing/],
  ],
  staysFinite: [[on([5, 4], own({ forward: x => ops.divide(x, ops.sum(x, [1], true)) })), /zeros give NaN/], [on([5, 4], own({ forward: x => ops.exp(x) })), /10,000 give Infinity/], [on([5, 4], own({ forward: (x, { mode }) => (mode === 'training' ? ops.sqrt(x) : x) })), /NaN.* in training/]],
  oracleAgrees: [[on([5, 4], posing(linear, 'linear', [4, {}], { ...linear(4).definition, forward: (x: Tensor, { parameters }: Context) => ops.linear(x, parameters['weight']!) } as never)), /by its definition/]],
  determinism: [[on([5, 4], own({ forward: x => ops.multiply(x, ops.scalar(Math.random())) })), /two different graphs|compiled again/]],
  ratesVanish: [[on([5, 4], own({ config: { rate: 0.1 }, forward: (x, { mode }) => (mode === 'training' ? ops.multiply(x, ops.scalar(2)) : x) })), /in training with rates/]],
  dropsFairly: [
    [on([5, 4], own({ config: { rate: 0.5 }, traits: { drops: 'element' }, forward: (x, { mode, path }) => (mode === 'inference' ? x : ops.multiply(x, ops.multiply(ops.dropMask(path, 0.5, x.shape), ops.scalar(0.5)))) })), /the mean over 400 masks is 0\.[45]/],
    [on([5, 4], own({ forward: (x, { path }) => ops.multiply(x, ops.dropMask(path, 0.5, x.shape)) })), /dropped in inference/],
    [on([5, 4], own({ config: { rate: 0.5 }, traits: { drops: 'sample' }, forward: (x, { mode, path }) => (mode === 'inference' ? x : ops.multiply(x, ops.dropMask(path, 0.5, x.shape))) })), /of one sample, a part is dropped/],
  ],
  batchStatistics: [
    [on([5, 4], statistics(x => ops.batchMean(ops.mean(x, [1], true)))), /in training, channel 0 has a mean of/],
    [on([5, 4], statistics(x => ops.batchMean(ops.mean(x, [0])), 0.9)), /the new running_mean of channel 0 is/],
  ],
  featuresAreOutputs: [[pipe(input(5, 4), named('early', linear(4)), own({ forward: (x, { record }) => (record('early', ops.multiply(x, ops.scalar(2))), x) })) as unknown as AnyModel, /of the feature 'early'/]],
  backendsAgree: [[on([5, 4], relu()), /on reference, in inference.*off by/, { backends: [wrongOn('relu')] }]],
  backendsAgreeOnGradients: [[on([5, 4], linear(3), softmax()), /the gradient of|the loss/, { backends: [wrongOn('batchSum')] }]],
  gradientsReach: [[on([5, 4], own({ ...weight, forward: (x, { parameters }) => ops.add(x, ops.multiply(parameters['w']!, ops.scalar(0))) })), /the gradient of 'w' is zero/], [on([5, 4], own({ ...weight, forward: x => x })), /no gradient reaches 'w'/]],
  nothingLeaks: [[on([5, 4], relu()), /tensors behind that no plan knows/, { backends: [leaking] }]],
  jsonRoundTrip: [[on([5, 4], ((): Faulty => { const make = (factor = 1): AnyLayer => defineLayer<ShapeFunction>('times', make, [], { forward: (x: Tensor) => ops.multiply(x, ops.scalar(factor)) }); return make(3) as Faulty })()), /another model|unknown/]],
  checkpointRoundTrip: [[on([5, 4], own({ parameters: () => ({ __metadata__: { shape: [4], initialiser: { kind: 'ones' } } }), forward: (x, { parameters }) => ops.multiply(x, parameters['__metadata__']!) })), /.*/]],
}

/** Models with nothing wrong, on which laws must not be broken by mistake. */
export const lawful: readonly AnyModel[] = [on([5, 4], serial(identity(), linear(3)) as unknown as Faulty), on([3], linear(2) as unknown as Faulty)]
