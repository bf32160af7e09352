import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { captured } from './captured.js'

const fixtures = 'test/fixtures/tricks'
const files = readdirSync(fixtures).filter(name => name.endsWith('.json') && name !== 'training.json').map(name => join(fixtures, name))
const folder = mkdtempSync(join(tmpdir(), 'vitrail-tricks-'))

interface Verdict {
  readonly file: string
  readonly backend: string
  readonly ok: boolean
  readonly outputs: Readonly<Record<string, { readonly maxAbs: number | null; readonly ok: boolean; readonly problem?: string }>>
  readonly notCompared: readonly string[]
  readonly error?: string
}
const verdicts = async (...argv: readonly string[]): Promise<{ readonly code: number; readonly list: readonly Verdict[] }> => {
  const { code, out } = await captured('verify', ...argv, '--json')
  return { code, list: JSON.parse(out) as readonly Verdict[] }
}

type Fields = Record<string, unknown>
/** A copy of a recording with something in it changed. */
const changed = (name: string, change: (fields: Fields) => void): string => {
  const fields = JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as Fields
  change(fields)
  const file = join(folder, name)
  writeFileSync(file, JSON.stringify(fields))
  return file
}
/** Moves the number at a path by a share of itself. */
const nudge = (fields: Fields, path: string, share: number): void => {
  const keys = path.split('/')
  const last = keys.pop()!
  const holder = keys.reduce<Fields>((at, key) => at[key] as Fields, fields)
  holder[last] = (holder[last] as number) * (1 + share)
}

describe('vitrail verify of training tricks', () => {
  it('agrees with every recording on every key, on reference, cpu and wasm', async () => {
    const { code, list } = await verdicts(...files, '--backend', 'reference,cpu,wasm')
    expect(list.filter(({ ok }) => !ok)).toEqual([])
    expect(list.flatMap(({ notCompared }) => notCompared)).toEqual([])
    expect(list).toHaveLength(files.length * 3)
    expect(Object.fromEntries(list.filter(({ backend }) => backend === 'wasm').map(({ file, outputs }) => [file.slice(fixtures.length + 1, -5), Object.keys(outputs).length]))).toMatchObject({ adamw: 40, contrastive: 10, distillation: 12, dynamicvit_parts: 20, ema: 4, fake_quant: 11, head_pruning: 6, layerscale: 3, losses: 18, lr_schedule: 5, mae_masking: 12, mix_token: 1, mixup_cutmix: 12, stochastic_depth: 4, token_labeling: 12, adamw_amsgrad: 10, fake_quant_channels: 6, layer_decay_beit: 40, losses_binary: 10, lr_schedule_cycles: 8, mixup_modes: 7 })
    expect(code).toBe(0)
  })

  it.each([
    ['adamw.json', 'all_decay/losses/9', 1e-4, 'all_decay.losses'],
    ['adamw.json', 'clip_grad_norm/after_10/W2/data/0', 1e-3, 'clip_grad_norm.after_10.W2'],
    ['adamw.json', 'config/weight_decay', 0.1, 'all_decay.after_10.W1'],
    ['contrastive.json', 'align_like/grad_tau', 1e-3, 'align_like.grad_tau'],
    ['contrastive.json', 'logit_scale', 1e-3, 'loss'],
    ['distillation.json', 'soft_alpha0.1_tau3.0_ce/tau', 1e-2, 'soft_alpha0.1_tau3.0_ce.loss'],
    ['ema.json', 'ema/3/1', 1e-4, 'ema.3'],
    ['fake_quant.json', 'per_channel_axis0_absmax_127/scale/data/2', 1e-3, 'per_channel_axis0_absmax_127.out'],
    ['fake_quant.json', 'per_tensor_clipping/grad/data/1', 1e-3, 'per_tensor_clipping.grad'],
    ['fake_quant.json', 'torch_observer/per_channel_scale/data/1', 1e-4, 'torch_observer.per_channel_scale'],
    ['layer_decay.json', 'layer_decay', 1e-9, 'params.cls_token'],
    ['layer_decay.json', 'params/norm.weight/layer', 1, 'params.norm.weight'],
    ['layerscale.json', 'gamma/data/2', 1e-3, 'grad_x'],
    ['losses.json', 'softmax_focal_gamma2.0_alpha/alpha/2', 1e-2, 'softmax_focal_gamma2.0_alpha.loss'],
    ['losses.json', 'soft_target_ce/grad/data/1', 1e-2, 'soft_target_ce.grad'],
    ['lr_schedule.json', 'deit_300/lr_at_step_t/123', 1e-9, 'deit_300.lr_at_step_t'],
    ['mae_masking.json', 'ids_restore/0/1', 1, 'ids_restore'],
    ['mae_masking.json', 'loss_norm_pix_True/grad_l2', 1e-3, 'loss_norm_pix_True.grad_l2'],
    ['mix_token.json', 'bbox_rows_cols/1', 1 / 3, 'out'],
    ['mixup_cutmix.json', 'mixup_perm/perm/0', -0.5, 'mixup_perm.out'],
    ['mixup_cutmix.json', 'cutmix/1/lam_in', 2, 'cutmix.1.bbox_yl_yh_xl_xh'],
    ['mixup_cutmix.json', 'mixup_flip/smoothing', 0.1, 'mixup_flip.target'],
    ['mixup_modes.json', 'mixup_elem/lam/1', 0.1, 'mixup_elem.out'],
    ['mixup_modes.json', 'cutmix_minmax/bbox_yl_yh_xl_xh/1', -0.25, 'cutmix_minmax.target'],
    ['fake_quant_channels.json', 'per_channel_affine_axis1/zero_point/1', 20, 'per_channel_affine_axis1.out'],
    ['losses_binary.json', 'binary_ce_timm_smoothing0.2_threshold0.3/loss', 1e-3, 'binary_ce_timm_smoothing0.2_threshold0.3.loss'],
    ['lr_schedule_cycles.json', 'cosine_cycles/args/cycle_decay', 0.1, 'cosine_cycles.lr_at_step_t'],
    ['stochastic_depth.json', 'vit12_0.1/rate', 1e-3, 'vit12_0.1.per_block'],
    ['stochastic_depth.json', 'drop_path_apply/out/data/0', 1e-3, 'drop_path_apply.out'],
    ['token_labeling.json', 'case_gt_box/bbox/3', 1, 'case_gt_box.grad_cls'],
  ])('sees in %s that %s is off by %d', async (name, path, share, key) => {
    const { code, list } = await verdicts(changed(name, fields => nudge(fields, path, share)), '--backend', 'cpu')
    expect(list.map(({ ok, outputs }) => [ok, outputs[key]?.ok])).toEqual([[false, false]])
    expect(code).toBe(1)
  })

  it('sees that the importance of a head or a pruned output is off, and says where the recorded model is missing', async () => {
    const model = relative(folder, resolve('test/fixtures/recordings/vit/vit_cls_a.safetensors'))
    const off = (path: string): string => changed('head_pruning.json', fields => {
      fields['fixture'] = model
      nudge(fields, path, 1e-2)
    })
    for (const key of ['importance_mean_abs_per_sample', 'logits_structurally_pruned']) {
      const { list } = await verdicts(off(`${key}/data/2`), '--backend', 'cpu')
      expect(Object.entries(list[0]!.outputs).filter(([, { ok }]) => !ok).map(([name]) => name)).toEqual([key])
    }
    const lost = changed('head_pruning.json', fields => (fields['fixture'] = 'nowhere.safetensors'))
    expect((await verdicts(lost, '--backend', 'cpu')).list[0]!.error).toMatch(/^.*head_pruning\.json: the recording of its model, nowhere\.safetensors, is not in any folder above/)
  })

  it('says which losses of a recording it does not know', async () => {
    const { list } = await verdicts(changed('losses.json', fields => (fields['hinge'] = fields['cross_entropy'])), '--backend', 'cpu')
    expect(list[0]).toMatchObject({ ok: true, notCompared: ['hinge'] })
  })

  it('says how ConViT’s local blocks begin, whatever heads and strength', async () => {
    const file = 'test/fixtures/weights/convit_local_init.json'
    const { list } = await verdicts(file)
    expect(list[0]).toMatchObject({ ok: true, notCompared: [] })
    expect(Object.keys(list[0]!.outputs)).toEqual(['heads4_strength1.0', 'heads9_strength1.0'].flatMap(key => ['pos_proj_weight_set_rows', 'pos_proj_bias', 'gating_param', 'v_is_identity'].map(part => `${key}.${part}`)))
    const fields = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Fields>
    fields['heads4_strength1.0']!['locality_strength'] = 2
    writeFileSync(join(folder, 'local.json'), JSON.stringify(fields))
    expect(Object.entries((await verdicts(join(folder, 'local.json'))).list[0]!.outputs).filter(([, { ok }]) => !ok).map(([key]) => key)).toEqual(['heads4_strength1.0.pos_proj_weight_set_rows'])
  })

  it('says which numbers and options of a recording nobody read, and of what was left out as a whole no parts', async () => {
    const file = changed('token_labeling.json', fields => Object.assign(fields, { mixed: { lam: 0.5, bbox: [0, 0, 1, 1] }, note: 'a note for people' }) && Object.assign(fields['case_box'] as Fields, { grad_truth: { shape: [1], data: [0] } }))
    expect((await verdicts(file, '--backend', 'cpu')).list[0]).toMatchObject({ ok: true, notCompared: ['case_box.grad_truth', 'mixed'] })
  })

  it.each(['noise_range_t', 'ub', 'patience_t'])('refuses a schedule with %s, and passes over what changes nothing', async option => {
    const file = changed('lr_schedule.json', fields => Object.assign((fields['deit_300'] as Fields)['args'] as Fields, { [option]: 200, noise_pct: 0.5 }))
    expect((await verdicts(file, '--backend', 'cpu')).list[0]!.error).toBe(`${file}: deit_300 is a schedule (${option}) that there is not here; there are cosine, polynomial, stepped and constant ones`)
    const quiet = changed('lr_schedule.json', fields => Object.assign((fields['deit_300'] as Fields)['args'] as Fields, { noise_range_t: null, noise_pct: 0.5, wobble: 1 }))
    expect((await verdicts(quiet, '--backend', 'cpu')).list[0]).toMatchObject({ ok: true, notCompared: ['deit_300.args.wobble'] })
  })

  it('refuses a kind of schedule that there is not, and shares that are not one for each sample', async () => {
    const tanh = changed('lr_schedule.json', fields => (fields['tanh_30'] = fields['prefix_30']))
    expect((await verdicts(tanh, '--backend', 'cpu')).list[0]!.error).toBe(`${tanh}: tanh_30 is a schedule (tanh) that there is not here; there are cosine, polynomial, stepped and constant ones`)
    const short = changed('mixup_modes.json', fields => ((fields['mixup_elem'] as { lam: number[] }).lam = [0.5, 1]))
    expect((await verdicts(short, '--backend', 'cpu')).list[0]!.error).toBe(`${short}: mixup_elem.lam is neither one share nor one for each of the 4 samples`)
  })

  it('says once of a kind it does not know that nothing was compared, and of a faulty one where the fault is', async () => {
    const unknown = join(folder, 'unknown.json')
    writeFileSync(unknown, '{"w":{"shape":[1],"data":[1]}}')
    const { code, list } = await verdicts(unknown, '--backend', 'cpu,wasm')
    expect([code, list.length, list[0]!.ok, list[0]!.error]).toEqual([2, 1, false, `${unknown}: recordings of this kind are not supported yet, and nothing was compared`])
    const short = changed('losses.json', fields => ((fields['logits'] as { data: number[] }).data = [1]))
    expect((await verdicts(short, '--backend', 'cpu')).list[0]!.error).toBe(`${short}: logits is not a tensor { shape, data }`)
    const gone = changed('adamw.json', fields => delete (fields['config'] as Fields)['lr'])
    expect((await verdicts(gone, '--backend', 'cpu')).list[0]!.error).toBe(`${gone}: config.lr is not a number`)
    writeFileSync(unknown, '{')
    expect((await verdicts(unknown, '--backend', 'cpu')).list[0]!.error).toMatch(/is not JSON/)
  })
})
