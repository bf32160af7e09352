import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { trace } from '../../../graph/trace.js'
import { defineLayer, type AnyLayer } from '../../../layers/core/layer.js'
import { model } from '../../../layers/core/model.js'
import { policySoftmax } from '../../../layers/core/policySoftmax.js'
import { keepTokens } from '../../../layers/keepTokens.js'
import { tokenScores } from '../../../layers/tokenScores.js'
import { multiply, scalar } from '../../../ops/ops.js'
import { isOp, tensorsOf, type Tensor } from '../../../ops/tensor.js'
import { average, crossEntropy, divergence, keptShares, oneHot, pruned } from '../../../training/losses.js'
import { Bench, type Measured } from './bench.js'
import { Misread, type Recorded, type RecordedTensor } from './recorded.js'
import type { Trick } from './trick.js'

/** DynamicViT: the scores of tokens, with and without a policy; which are kept; attention under a policy; the loss. */
export const dynamicPruning: Trick = {
  fields: ['weights', 'log_probs_policy', 'keep_idx', 'softmax_with_policy', 'distill_loss'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const measured: Record<string, Measured> = { ...scores(recorded, bench), ...weights(recorded.object('softmax_with_policy'), bench), ...losses(recorded.object('distill_loss'), bench) }
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}

/** Scores of tokens of which only some count, as the training form of a model asks for them, and the tokens that the best scores keep. */
const bothForms = (keep: number): AnyLayer =>
  defineLayer('bothForms', bothForms, [keep], {
    accepts: 'record',
    forward: ({ x, policy }: { readonly x: Tensor; readonly policy: Tensor }, { apply, applyUnder }) => ({ among: applyUnder(policy, tokenScores(), x, 'among'), all: apply(keepTokens(keep, tokenScores(), { prefixTokens: 0, indices: 'kept' }), x, 'all') }),
  })

const scores = (recorded: Recorded, bench: Bench): Readonly<Record<string, Measured>> => {
  const inputs: Readonly<Record<string, RecordedTensor>> = { x: recorded.tensor('x'), policy: recorded.tensor('policy') }
  const fields = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, { shape: shape.slice(1), dtype: 'float32' } as const]))
  const graph = trace(model<never, unknown>({ fields }, [bothForms(recorded.number('num_keep'))]))
  if (graph._tag === 'Left') throw new Misread(graph.left.sentence)
  const weights = recorded.object('weights')
  for (const node of tensorsOf(graph.right.inputs)) if (isOp(node, 'input')) bench.feed(node, Float32Array.from(inputs[node.attributes.name]!.data))
  for (const parameter of graph.right.parameters) bench.feed(parameter, Float32Array.from(weights.tensor(parameter.attributes.name.replace(/^(among|all\.score_predictor)\./, '')).data))
  const feature = (name: string): Tensor => graph.right.features.get(name) as Tensor
  return {
    log_probs_policy: { tensor: feature('among'), recorded: recorded.tensor('log_probs_policy').data, near: 'single' },
    log_probs_all_ones: { tensor: feature('all.score_predictor'), recorded: recorded.tensor('log_probs_all_ones').data, near: 'single' },
    keep_idx: { tensor: feature('kept'), recorded: recorded.numbers('keep_idx'), near: 'exact' },
  }
}

const weights = (recorded: Recorded, bench: Bench): Readonly<Record<string, Measured>> => {
  const [attn, policy] = ['attn', 'policy'].map(key => bench.batched(`softmax_with_policy.${key}`, recorded.tensor(key))) as [Tensor, Tensor]
  return { 'softmax_with_policy.out': { tensor: policySoftmax(attn, policy), recorded: recorded.tensor('out').data, near: 'single' } }
}

const losses = (recorded: Recorded, bench: Bench): Readonly<Record<string, Measured>> => {
  const named = (key: string): Tensor => bench.batched(`distill_loss.${key}`, recorded.tensor(key))
  const [logits, tokens, kept] = [named('pred'), named('token_pred'), bench.batched('distill_loss.mask', flat(recorded.tensor('mask')))] as const
  const decisions = recorded.list('out_pred_score').map((stage, i) => bench.batched(`distill_loss.stage.${i}`, { shape: stage.numbers('shape'), data: stage.numbers('data') }))
  const teacher = { logits: named('teacher_cls'), tokens: named('teacher_tokens') }
  const shares = recorded.numbers('keep_ratio')
  const base = crossEntropy(logits, oneHot(bench.labels('distill_loss.labels', recorded.numbers('labels')), logits.shape[0]!))
  const measured: Record<string, Measured> = {}
  for (const [key, entry] of recorded.objectsWith('loss')) {
    const compare = key.endsWith('True') ? 'meanSquared' : 'divergence'
    const only = (part: 'baseWeight' | 'tokensWeight'): Tensor => pruned(base, { logits, tokens, decisions, kept }, teacher, { shares, compare, ...none, [part]: 1 })
    const weight = (name: string, usual: number): number => entry.numberOr(name, recorded.numberOr(name, usual))
    const distance = weight('distill_weight', 0.5)
    const loss = pruned(base, { logits, tokens, decisions, kept }, teacher, { shares, compare, baseWeight: weight('clf_weight', 1), sharesWeight: weight('ratio_weight', 2), teacherWeight: distance, tokensWeight: distance })
    const [first, sum, cls, rest] = entry.numbers('parts')
    const slope = (of: Tensor, field: string): Measured => ({ tensor: bench.slope(loss, of), recorded: entry.tensor(field).data, near: 'gradient' })
    const one = (tensor: Tensor, value: number | undefined): Measured => ({ tensor, recorded: [value ?? Number.NaN], near: 'single' })
    Object.assign(measured, {
      [`distill_loss.${key}.loss`]: one(loss, entry.number('loss')),
      [`distill_loss.${key}.parts.0`]: one(only('baseWeight'), first),
      // The recording has the sum over stages, of which the loss takes the mean.
      [`distill_loss.${key}.parts.1`]: one(multiply(scalar(shares.length), keptShares(decisions, shares)), sum),
      [`distill_loss.${key}.parts.2`]: one(average(divergence(logits, teacher.logits)), cls),
      [`distill_loss.${key}.parts.3`]: one(only('tokensWeight'), rest),
      [`distill_loss.${key}.grad_pred`]: slope(logits, 'grad_pred'),
      [`distill_loss.${key}.grad_token_pred`]: slope(tokens, 'grad_token_pred'),
      [`distill_loss.${key}.grad_s0`]: slope(decisions[0]!, 'grad_s0'),
    })
  }
  return measured
}

const none = { baseWeight: 0, sharesWeight: 0, teacherWeight: 0, tokensWeight: 0 } as const
const flat = ({ shape, data }: RecordedTensor): RecordedTensor => ({ shape: shape.slice(0, 2), data })
