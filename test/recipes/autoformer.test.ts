import { describe, expect, it } from 'vitest'
import { autoformer, autoformerRecipe, autoformerRecipes, autoformerReplica } from '../../recipes/autoformer.js'
import { compile, cost, fromJson, initialWeights, input, linear, named, parametersOf, serial, shapeOf, subnetwork, toJson, trace, type AnyModel } from '../../src/index.js'
import { cpu } from '../../src/backends/cpu/index.js'
import { isOp } from '../../src/ops/tensor.js'
import { problemOf, valueOf } from '../support/either.js'

const sizes = { imageSize: [8, 8], patchSize: 4, headDim: 4, numClasses: 3, maxDistance: 2 } as const
const whole = { superDim: 16, superDepth: 3, superHeads: 4, superMlpRatio: 2 } as const
const part = { dim: 12, depth: 2, numHeads: [2, 3], mlpRatio: [1, 1.5] } as const
const graphOf = (model: unknown, mode: 'inference' | 'training' = 'inference') => valueOf(trace(model as AnyModel, { mode }))
const namesOf = (model: unknown) => parametersOf(graphOf(model)).map(p => `${p.attributes.name} ${p.shape.join('×')}`)

describe('a sub-network', () => {
  const inWhole = autoformerRecipe({ ...sizes, ...part, ...whole }).model
  const alone = autoformerRecipe({ ...sizes, ...part }).model
  const supernet = autoformerRecipe({ ...sizes, dim: 16, depth: 3, numHeads: 4, mlpRatio: 2 }).model

  it('has all the parameters of the whole, and only those', () => {
    expect(namesOf(inWhole)).toEqual(namesOf(supernet))
  })

  it('costs what it costs alone', () => {
    expect(cost(graphOf(inWhole)).macs).toEqual(cost(graphOf(alone)).macs)
    expect(cost(graphOf(alone)).macs.total).toBeLessThan(cost(graphOf(supernet)).macs.total)
  })

  it('computes what it computes alone with the first rows and columns of the weights', async () => {
    const weights = valueOf(initialWeights(supernet as never, 5)) as Map<string, Float32Array>
    for (const values of weights.values()) values.forEach((_, i) => (values[i] = Math.sin(1 + i * 0.7)))
    const shapes = new Map(parametersOf(graphOf(supernet)).map(p => [p.attributes.name, p.shape]))
    const own = new Map(parametersOf(graphOf(alone)).map(({ attributes: { name }, shape }) => [name, corner(weights.get(name)!, shapes.get(name)!, shape)]))
    const x = Float32Array.from({ length: 2 * 8 * 8 * 3 }, (_, i) => Math.cos(i))
    const run = async (model: unknown, of: ReadonlyMap<string, Float32Array>) => {
      const program = valueOf(await compile(model as typeof alone, { backend: cpu, weights: of })())
      const y = valueOf(await program.run(x)())
      program.dispose()
      return y as unknown as Float32Array
    }
    const [a, b] = [await run(inWhole, weights), await run(alone, own)]
    expect(a.length).toBe(6)
    a.forEach((value, i) => expect(Math.abs(value - b[i]!)).toBeLessThan(1e-5))
  })

  it('trains nothing but its own rows and columns', () => {
    const { nodes } = graphOf(inWhole, 'training')
    const used = new Set(nodes.flatMap(n => (isOp(n, 'parameter') ? [n.attributes.name] : [])))
    expect(used.has('blocks.1.fc1.weight')).toBe(true)
    expect([...used].filter(name => name.startsWith('blocks.2'))).toEqual([])
  })

  it('that is larger than the whole is refused, with both sizes', () => {
    expect(problemOf(shapeOf(autoformerRecipe({ ...sizes, ...part, ...whole, dim: 20 } as never).model as never))).toMatchObject({ code: 'notAPart', sentence: "subnetwork: 'patch_embed_super.proj.weight' is 20×3×4×4 in the part and 16×3×4×4 in the whole" })
    expect(problemOf(shapeOf(autoformerRecipe({ ...sizes, ...whole, dim: 8, depth: 4, numHeads: 2 }).model as never)).sentence).toBe("subnetwork: the whole has no weight 'blocks.3.attn_layer_norm.weight' for the part to take a slice of")
  })

  it('comes back from JSON as it was', () => {
    const again = valueOf(fromJson(toJson(inWhole as unknown as AnyModel)))
    expect(namesOf(again)).toEqual(namesOf(inWhole))
  })
})

const corner = (values: Float32Array, shape: readonly number[], part: readonly number[]): Float32Array => {
  if (shape.length === 0) return values
  const [rest, own] = [shape.slice(1), part.slice(1)]
  const stride = rest.reduce((a, b) => a * b, 1)
  const rows = Array.from({ length: part[0]! }, (_, i) => corner(values.subarray(i * stride, (i + 1) * stride), rest, own))
  return Float32Array.from(rows.flatMap(row => Array.from(row)))
}

describe('several parts of one network', () => {
  it('share its weights, and each gives its own', () => {
    const model = subnetwork(serial(named('a', linear(6)), named('b', linear(3))), { small: serial(named('a', linear(2)), named('b', linear(3))), large: serial(named('a', linear(5)), named('b', linear(2))) })(input(4))
    expect(valueOf(shapeOf(model))).toEqual({ small: [3], large: [2] })
    expect(namesOf(model)).toEqual(['a.weight 6×4', 'a.bias 6', 'b.weight 3×6', 'b.bias 3'])
  })
})

describe('the published networks', () => {
  // The README and Table 4 of the paper: 5.7, 22.9 and 53.7 million parameters.
  it.each([['autoformer_t_subnet', 5_867_944], ['autoformer_s_subnet', 22_891_432], ['autoformer_b_subnet', 53_691_688]] as const)('%s has, on its own, the %i parameters that the authors count', (id, params) => {
    const { superDim: _, superDepth: _1, superHeads: _2, superMlpRatio: _3, ...alone } = autoformerRecipes[id].config as Parameters<typeof autoformerRecipe>[0]
    expect(cost(graphOf(autoformerRecipe(alone).model)).params).toBe(params)
  })
})

describe('what drops in training', () => {
  it('drops less in a narrower network, and deeper blocks drop by their place in the whole', () => {
    const rates = { dropout: 0.4, attentionDropout: 0.2, dropPath: 0.3 }
    const keeps = graphOf(autoformerRecipe({ ...sizes, ...part, ...whole, ...rates, dim: 8 }).model, 'training').nodes.flatMap(n => (isOp(n, 'dropMask') ? [[n.attributes.stream, Math.round(1e6 * (1 - n.attributes.keep)) / 1e6]] : []))
    expect(keeps).toEqual([
      ['pos_drop', 0.2],
      ['blocks.0.attn.attn_drop', 0.2], ['blocks.0.attn.proj_drop', 0.4], ['blocks.0.attn_drop', 0.1], ['blocks.0.drop1', 0.2], ['blocks.0.drop2', 0.2],
      ['blocks.1.attn.attn_drop', 0.2], ['blocks.1.attn.proj_drop', 0.4], ['blocks.1.attn_drop', 0.1], ['blocks.1.drop_path1', 0.15], ['blocks.1.drop1', 0.2], ['blocks.1.drop2', 0.2], ['blocks.1.drop_path2', 0.15],
    ])
  })
})

describe("the authors' own configuration", () => {
  const base = { img_size: 16, patch_size: 8, embed_dim: 32, depth: 2, num_heads: 4, num_classes: 3 }
  const sample = { embed_dim: [16, 16], mlp_ratio: [1, 2], num_heads: [4, 4], layer_num: 2 }
  it.each([
    [base, 'read'],
    [{ ...base, samples: [sample, { ...sample, layer_num: 1 }], qk_scale: 0.1, drop_path_rate: 0.1 }, 'read'],
    [{ ...base, samples: [{ ...sample, layer_num: 3 }] }, 'autoformer: sample 0: layer_num must be a whole number from 1 to 2, got 3'],
    [{ ...base, samples: [sample, { ...sample, num_heads: [4] }] }, 'autoformer: sample 1: num_heads has 1 numbers for 2 blocks'],
    [{ ...base, samples: [{ ...sample, embed_dim: [16, 24] }] }, 'autoformer: sample 0: embed_dim must be the same for all blocks, whose outputs are added up'],
    [{ ...base, samples: [{ ...sample, num_heads: [4, 3] }] }, 'autoformer: sample 0: without change_qkv the 32 channels of the whole do not split into 3 heads'],
    [{ ...base, samples: ['small'] }, 'autoformer: sample 0: is no record of embed_dim, mlp_ratio, num_heads and layer_num'],
    [{ ...base, num_heads: 5 }, "autoformer: 'embed_dim' must be a multiple of 'num_heads', got 32 and 5"],
    [{ ...base, qkv: true }, "autoformer: does not know 'qkv'"],
  ])('%j is %s', (config, sentence) => {
    const read = autoformerReplica(config)
    expect(read._tag === 'Left' ? read.left.sentence : 'read').toBe(sentence)
  })

  it('without samples means the whole network', () => {
    const { model } = valueOf(autoformerReplica(base))
    expect(graphOf(model).output).toMatchObject({ shape: [3] })
  })
})

it('a head count that a block lacks is said where it is', () => {
  expect(problemOf(shapeOf(autoformer({ ...sizes, dim: 8, depth: 2, numHeads: [2] })(input(8, 8, 3))))).toMatchObject({ path: 'blocks.1 › attention' })
})
