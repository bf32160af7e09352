import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Initialiser } from '../../src/ops/initialiser.js'
import { fans } from '../../src/weights/fans.js'
import { formulaWeights } from '../../src/weights/formulaWeights.js'
import { initialise } from '../../src/weights/initialise.js'

const name = 'blocks.0.attn.qkv.weight'

/** Mean, standard deviation and largest size of 200,000 values. */
const statistics = (initialiser: Initialiser, shape: readonly number[] = [400, 500]): readonly [number, number, number] => {
  const values = initialise(initialiser, shape, 'statistics', name)
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length
  return [mean, Math.sqrt(variance), values.reduce((size, x) => Math.max(size, Math.abs(x)), 0)]
}

describe('fans', () => {
  it.each([
    // torch.nn.init._calculate_fan_in_and_fan_out
    [[10, 4], 4, 10],
    [[8, 3, 5, 7], 105, 280],
    [[6, 2, 3, 3], 18, 54],
  ])('of %j are counted as PyTorch counts', (shape, fanIn, fanOut) => {
    expect(fans(shape)).toEqual({ fanIn, fanOut })
  })

  it('take a missing axis as 1', () => {
    expect([fans([7]), fans([])]).toEqual([{ fanIn: 1, fanOut: 7 }, { fanIn: 1, fanOut: 1 }])
  })
})

describe('first values', () => {
  it('are one number for the constants', () => {
    expect(initialise({ kind: 'zeros' }, [2, 2], 0, name)).toEqual(new Float32Array(4))
    expect(initialise({ kind: 'ones' }, [3], 0, name)).toEqual(Float32Array.of(1, 1, 1))
    expect(initialise({ kind: 'constant', value: 1e-4 }, [1], 0, name)).toEqual(Float32Array.of(1e-4))
  })

  it.each<readonly [Initialiser, readonly number[]]>([
    // The first, third and last were computed independently in Python.
    [{ kind: 'normal', std: 1 }, [0.7973490953445435, 0.838211715221405, -0.3450873792171478, -0.6460437774658203]],
    [{ kind: 'truncatedNormal', std: 0.02 }, [0.01594698242843151, 0.016764234751462936, -0.0069017475470900536, -0.012920876033604145]],
    [{ kind: 'truncatedNormal', std: 1 }, [0.7530835866928101, 0.7906898856163025, -0.32879260182380676, -0.6125548481941223]],
    [{ kind: 'uniform', bound: 1 }, [0.574751615524292, 0.5980881452560425, -0.2699713706970215, -0.4817490577697754]],
    [{ kind: 'xavierUniform' }, [0.5321165919303894, 0.5537220239639282, -0.24994492530822754, -0.4460129737854004]],
    [{ kind: 'xavierNormal' }, [0.4262010157108307, 0.44804301857948303, -0.1844569593667984, -0.34532493352890015]],
    [{ kind: 'heNormal' }, [0.6510328054428101, 0.6843970417976379, -0.28176265954971313, -0.5274925231933594]],
    [{ kind: 'heUniform' }, [0.8128215074539185, 0.8458243608474731, -0.3817971646785736, -0.6812960505485535]],
    [{ kind: 'fanIn' }, [0.574751615524292, 0.5980881452560425, -0.2699713706970215, -0.4817490577697754]],
  ])('of %j stay what they are', (initialiser, pinned) => {
    expect([...initialise(initialiser, [4, 3], 7, name).subarray(0, 4)]).toEqual(pinned)
  })

  it('stay what they are over a million deviates, tails included', () => {
    const values = initialise({ kind: 'normal', std: 1 }, [1000, 1000], 'seed', 'w')
    expect(createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex'))
      .toBe('1c020a4b397852de9d000df9ab2e2ae44491f842741b5a1770bed94decdc0666')
  })

  it('depend on the seed and the name, and on nothing else', () => {
    const draw = (seed: number | string, of: string): string => initialise({ kind: 'normal', std: 1 }, [8], seed, of).join()
    expect(new Set([draw(1, 'a'), draw(2, 'a'), draw(1, 'b'), draw(2, 'b')]).size).toBe(4)
    expect(draw(1, 'a')).toBe(draw('1', 'a'))
    expect(draw(1, 'a')).toBe(draw(1, 'a'))
  })

  it('agree with the weight formula where both are uniform', () => {
    expect(initialise({ kind: 'fanIn' }, [5, 3, 2, 2], 'salt', name)).toEqual(formulaWeights(name, [5, 3, 2, 2], 0, Math.sqrt(3 / 12), 'salt'))
  })

  it.each<readonly [Initialiser, number]>([
    [{ kind: 'normal', std: 0.5 }, 0.5],
    [{ kind: 'truncatedNormal', std: 0.02 }, 0.02],
    [{ kind: 'truncatedNormal', std: 1 }, 0.87962566], // √(1 − 4φ(2) / 0.9545)
    [{ kind: 'truncatedNormal', std: 1e9 }, 2 / Math.sqrt(3)], // flat between the cuts
    [{ kind: 'uniform', bound: 0.1 }, 0.1 / Math.sqrt(3)],
    [{ kind: 'xavierUniform' }, Math.sqrt(2 / 900)],
    [{ kind: 'xavierNormal' }, Math.sqrt(2 / 900)],
    [{ kind: 'heUniform' }, Math.sqrt(2 / 500)],
    [{ kind: 'heNormal' }, Math.sqrt(2 / 500)],
    [{ kind: 'fanIn' }, Math.sqrt(1 / 500)],
  ])('of %j have mean 0 and standard deviation %d', (initialiser, std) => {
    const [mean, deviation, largest] = statistics(initialiser)
    expect(Math.abs(mean) / std).toBeLessThan(4 / Math.sqrt(200_000))
    expect(Math.abs(deviation / std - 1)).toBeLessThan(4 / Math.sqrt(400_000))
    if (initialiser.kind === 'truncatedNormal') expect(largest).toBeLessThanOrEqual(2)
  })

  it('divide a grouped convolution\'s variance by the inputs of a group', () => {
    expect(statistics({ kind: 'heNormal' }, [2000, 1, 10, 10])[1]).toBeCloseTo(Math.sqrt(2 / 100), 3)
  })
})
