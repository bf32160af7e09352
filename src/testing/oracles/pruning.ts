import type { AnyLayer } from '../../layers/core/layer.js'
import type { DecideTokensConfig } from '../../layers/decideTokens.js'
import type { KeepTokensConfig } from '../../layers/keepTokens.js'
import type { TokenScoresConfig } from '../../layers/tokenScores.js'
import { gelus } from './activations.js'
import { layerNormed, mapped } from './channels.js'
import { at, channelwise, each, numbers, partsOf, stacked, type Numbers } from './numbers.js'
import type { Place, Run, Values } from './oracle.js'

// Tokens that are dropped (Rao et al., 2021, "DynamicViT").

/** The mean of a channel over the tokens that count; 0 where there is none. */
const overCounted = (x: Numbers, channel: number, policy: Numbers | undefined): number => {
  let [total, counted] = [0, 0]
  for (let token = 0; token < x.shape[0]!; token++) {
    const share = policy?.data[token] ?? 1
    total += at(x, token, channel) * share
    counted += share
  }
  return counted === 0 ? 0 : total / counted
}

/** Equations 1 to 5. */
export const tokenScores = (place: Place, { epsilon = 1e-5 }: TokenScoresConfig = {}): Run => (signal, window) => {
  const x = signal as Numbers
  const dim = x.shape[1]!
  const active = (t: Numbers, name: string, out: number): Numbers => each(mapped(t, place.at(name), out, true), gelus.erf)
  const inner = active(layerNormed(x, place.at('in_conv.0'), epsilon), 'in_conv.1', dim)
  const means = Array.from({ length: dim / 2 }, (_, i) => overCounted(inner, dim / 2 + i, window?.policy))
  const joined = numbers(x.shape, (token, channel) => (channel < dim / 2 ? at(inner, token, channel) : means[channel - dim / 2]!))
  const scores = mapped(active(active(joined, 'out_conv.0', dim / 2), 'out_conv.2', Math.floor(dim / 4)), place.at('out_conv.4'), 2, true)
  return channelwise(scores, ([keep, drop]) => [-Math.log(1 + Math.exp(drop! - keep!)), -Math.log(1 + Math.exp(keep! - drop!))])
}

export const keepTokens = (place: Place, keep: number, scores: AnyLayer, { prefixTokens = 1 }: KeepTokensConfig<number> = {}): Run => {
  const run = place.bind(scores)
  return (signal, window) => {
    const tokens = partsOf(signal as Numbers)
    const others = tokens.slice(prefixTokens)
    const worth = partsOf(run(stacked(others), window) as Numbers).map(({ data }) => data[0]!)
    const best = others.map((_, i) => i).sort((a, b) => worth[b]! - worth[a]! || a - b).slice(0, keep)
    return stacked([...tokens.slice(0, prefixTokens), ...best.map(i => others[i]!)])
  }
}

/** In inference: the better score decides. */
export const decideTokens = (place: Place, name: string, scores: AnyLayer, rest: AnyLayer, { prefixTokens = 1 }: DecideTokensConfig<number> = {}): Run => {
  const [score, follow] = [place.bind(scores), place.bind(rest)]
  return (signal, window) => {
    const tokens = partsOf(signal as Numbers)
    const before = window?.policy === undefined ? undefined : numbers([tokens.length - prefixTokens, 1], i => window.policy.data[prefixTokens + i]!)
    const worth = score(stacked(tokens.slice(prefixTokens)), before === undefined ? undefined : { policy: before }) as Numbers
    const kept = numbers([worth.shape[0]!], i => (at(worth, i, 0) > at(worth, i, 1) ? (before?.data[i] ?? 1) : 0))
    const outputs = follow(signal, { policy: numbers([tokens.length, 1], i => (i < prefixTokens ? 1 : kept.data[i - prefixTokens]!)) })
    return { ...(isRecord(outputs) ? outputs : { output: outputs }), [name]: kept }
  }
}

const isRecord = (x: Values): x is Readonly<Record<string, Values>> => !(x.data instanceof Float64Array)
