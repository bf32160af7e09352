"""Makes reference recordings of CoAtNets with timm, of sizes and options the bundled ones do not have.

Usage: python3 test/parity/recordCoatnet.py DIR [NAME…]
Each file holds weights, an input, the logits and inner outputs, in the format `vitrail verify` replays.
Needs torch, timm, safetensors. Three of them are in test/fixtures/recordings/coatnet.
"""
import json
import sys
from dataclasses import asdict
from pathlib import Path

import modelsOnly  # noqa: F401, before timm
import torch
from safetensors.torch import save_file
from timm.models.maxxvit import MaxxVit, MaxxVitCfg, MaxxVitConvCfg, MaxxVitTransformerCfg

folder, wanted = Path(sys.argv[1]), sys.argv[2:]
folder.mkdir(parents=True, exist_ok=True)
BLOCKS = dict(embed_dim=(4, 8, 8, 16), depths=(1, 2, 2, 1), stem_width=(4, 8))
HEADS = dict(dim_head=4)
RW = dict(pre_norm_act=True, expand_output=False, output_bias=False, act_layer='silu')
TEN = dict(num_classes=10)


def weights(model):
    draw = torch.Generator().manual_seed(1)
    for name, t in [*model.named_parameters(), *model.named_buffers()]:
        if t.dtype != torch.float32 or 'rel_coords_log' in name or 'lookup' in name:
            continue
        u = torch.rand(t.shape, generator=draw) * 2 - 1
        if 'running_var' in name or (t.ndim < 2 and name.endswith('weight')):
            t.copy_(1 + 0.4 * u)
        elif 'gamma' in name:
            t.copy_(0.5 + 0.4 * u)
        elif 'bias_table' in name:
            t.copy_(0.8 * u)
        else:
            t.copy_(u * (0.2 if t.ndim < 2 else (3 / t[0].numel()) ** 0.5))
    return draw


@torch.no_grad()
def record(name, size, base, conv={}, transformer={}, batch=1, **kwargs):
    if wanted and name not in wanted:
        return
    cfg = MaxxVitCfg(**base, conv_cfg=MaxxVitConvCfg(**conv), transformer_cfg=MaxxVitTransformerCfg(**transformer))
    model = MaxxVit(cfg, img_size=size, **kwargs).eval()
    draw = weights(model)
    seen = {}
    for path, module in model.named_modules():
        if path in ('stem', 'norm', 'head.global_pool', 'head.norm', 'head.pre_logits') or path.count('.') == 3 and path.startswith('stages'):
            module.register_forward_hook(lambda _, __, out, path=path: seen.__setitem__(f'@feat/{path}', out.clone()))
    height, width = (size, size) if isinstance(size, int) else size
    x = torch.rand((batch, model.in_chans, height, width), generator=draw) * 3 - 1.5
    logits = model(x)
    config = {**asdict(cfg), 'img_size': size, **kwargs}
    tensors = {**model.state_dict(), **seen, '@in/x': x, '@out/logits': logits}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / f'{name}.safetensors', metadata={'system': 'coatnet', 'name': name, 'config': json.dumps(config)})
    print(name, tuple(logits.shape))


record('rmlp_rectangle', (64, 96), BLOCKS, {**RW, 'stride_mode': 'pool', 'pool_type': 'max', 'attn_early': True, 'attn_act_layer': 'relu'},
       {**HEADS, 'pool_type': 'max', 'rel_pos_type': 'mlp', 'rel_pos_dim': 12, 'expand_first': False, 'shortcut_bias': False}, batch=2, num_classes=7)
record('same_odd', 68, BLOCKS, {'padding': 'same', 'act_layer': 'gelu_tanh', 'norm_eps': 1e-3}, {**HEADS, 'pool_type': 'max', 'rel_pos_type': 'bias_tf', 'act_layer': 'gelu_tanh', 'norm_eps': 1e-5}, **TEN)
record('bn_mixed', 64, {**BLOCKS, 'depths': (1, 2, 3, 1), 'block_type': ('C', 'C', ('C', 'T'), 'T'), 'head_hidden_size': 12}, {'stride_mode': '1x1', 'kernel_size': 5, 'group_size': 4, 'expand_ratio': 3.3},
       {**HEADS, 'norm_layer': 'batchnorm2d', 'norm_eps': 1e-3, 'init_values': 0.1}, **TEN)
record('pool_avg_odd', 84, BLOCKS, {'padding': 'same', 'stride_mode': 'pool', 'pool_type': 'avg', 'downsample_pool_type': 'max'}, {**HEADS, 'pool_type': 'avg'}, **TEN)
record('even_kernel', 64, BLOCKS, {'padding': 'same', 'kernel_size': 4}, HEADS, **TEN)
record('odd_rectangle', (72, 104), BLOCKS, {'pool_type': 'max', 'stride_mode': 'pool', 'downsample_pool_type': 'avg'}, {**HEADS, 'pool_type': 'avg'}, **TEN)
record('max2', 64, BLOCKS, {'pool_type': 'max2', 'stride_mode': 'pool', 'downsample_pool_type': 'max2'}, {**HEADS, 'pool_type': 'max2'}, **TEN)
record('no_gate_no_positions', 64, {**BLOCKS, 'depths': (1, 3, 3, 2), 'block_type': ('C', ('C', 'T'), ('C', 'T', 'C'), ('T',))}, {'attn_layer': None}, {**HEADS, 'rel_pos_type': '', 'attn_bias': False}, **TEN)
record('three_stages', 32, dict(embed_dim=(4, 8, 8), depths=(1, 1, 1), block_type=('C', 'T', 'T'), stem_width=4), {}, HEADS, **TEN)
record('five_stages', 128, dict(embed_dim=(4, 4, 8, 8, 16), depths=(1,) * 5, block_type=('C', 'C', 'C', 'T', 'T'), stem_width=4), {}, HEADS, **TEN)
record('not_pooled', 64, {**BLOCKS, 'head_hidden_size': 12}, {}, HEADS, global_pool='', **TEN)
record('pool_max', 64, BLOCKS, {}, HEADS, global_pool='max', **TEN)
record('pool_both', 64, {**BLOCKS, 'head_hidden_size': 12}, {}, HEADS, global_pool='avgmax', **TEN)
record('pool_joined', 64, BLOCKS, {}, HEADS, global_pool='catavgmax', **TEN)
record('no_head', 64, BLOCKS, {}, HEADS, num_classes=0)
record('no_head_not_pooled', 64, BLOCKS, {}, HEADS, num_classes=0, global_pool='')
record('layer_norm', 64, BLOCKS, {'norm_layer': 'layernorm2d'}, HEADS, **TEN)
record('gray', 64, {**BLOCKS, 'stem_bias': True, 'stem_width': 6}, {'group_size': 0, 'attn_ratio': 0.01}, {**HEADS, 'init_values': 1e-5}, in_chans=1, drop_rate=0.1, drop_path_rate=0.1, **TEN)
record('one_place', 32, BLOCKS, {}, {**HEADS, 'rel_pos_type': 'mlp', 'rel_pos_dim': 16}, **TEN)
