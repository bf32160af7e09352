"""Makes reference recordings of ConViTs and hybrids with timm, of sizes and options the golden ones do not have.

Usage: python3 test/parity/recordConvolutional.py DIR          the edge cases that test/fixtures/recordings keeps
       python3 test/parity/recordConvolutional.py DIR COUNT SEED   so many of each at random
Each file holds weights, an input, the logits and inner outputs, in the format `vitrail verify` replays. timm computes
in double precision here: small maps under group norms magnify its float32 noise beyond our tolerance.
Needs torch, timm, safetensors.
"""
import json, random, sys
from functools import partial
from pathlib import Path

import modelsOnly  # noqa: F401, before timm
import torch
from safetensors.torch import save_file
from timm.layers import GroupNormAct, HybridEmbed, StdConv2d, StdConv2dSame
from timm.models._features import FeatureListNet
from timm.models.convit import ConVit
from timm.models.resnet import Bottleneck, ResNet
from timm.models.resnetv2 import ResNetV2, create_resnetv2_stem
from timm.models.vision_transformer import VisionTransformer

norm = partial(torch.nn.LayerNorm, eps=1e-6)


def fill(model, generator):
    """Weights under which no part of the model is idle."""
    with torch.no_grad():
        for name, t in [*model.named_parameters(), *model.named_buffers()]:
            if not t.is_floating_point():
                continue
            u = torch.rand(t.shape, generator=generator) * 2 - 1
            if name.endswith('gating_param'):
                t.copy_(0.3 + 1.5 * u)
            elif name.endswith('pos_proj.weight'):
                t.copy_(0.1 * u)
            elif name.endswith(('pos_embed', 'cls_token', 'reg_token')):
                t.copy_(0.5 * u)
            elif name.endswith(('running_mean', '.bias')):
                t.copy_(0.2 * u)
            elif t.dim() < 2:
                t.copy_(1 + 0.4 * u)
            else:
                t.copy_(u * (3 / t[0].numel()) ** 0.5)


def save(folder, system, name, model, config, channels, wanted, batch=2, inner=None):
    generator = torch.Generator().manual_seed(len(name) * 7919 + sum(map(ord, name)))
    fill(model.eval(), generator)
    weights = {key: value.clone().contiguous() for key, value in model.state_dict().items()}
    model.double()
    tensors = {}
    modules = dict(model.named_modules())
    for key in wanted:
        if key in modules:
            modules[key].register_forward_hook(lambda _m, _i, out, key=key: tensors.__setitem__(f'@feat/{key}', out.detach().float().contiguous()))
    size = config['img_size'] if isinstance(config['img_size'], list) else [config['img_size']] * 2
    x = torch.randn(batch, channels, *size, generator=generator)
    with torch.no_grad():
        tensors['@out/logits'] = model(x.double()).float().contiguous()
        recorded = dict(tensors)
        if inner is not None:
            recorded.update({key: value.float().contiguous() for key, value in inner(x.double()).items()})
    recorded.update({'@in/x': x, **weights})
    (folder / system).mkdir(parents=True, exist_ok=True)
    save_file(recorded, str(folder / system / f'{name}.safetensors'), {'system': system, 'name': name, 'config': json.dumps(config)})


def convit(folder, name, **changes):
    config = {'img_size': 16, 'patch_size': 4, 'in_chans': 3, 'num_classes': 5, 'embed_dim': 6, 'depth': 2, 'num_heads': 4, 'mlp_ratio': 2.0, 'qkv_bias': False,
              'local_up_to_layer': 1, 'locality_strength': 1.0, 'use_pos_embed': True, 'global_pool': 'token', **changes}
    model = ConVit(**{**config, 'img_size': tuple(config['img_size']) if isinstance(config['img_size'], list) else config['img_size']}, norm_layer=norm)
    gpsa = model.blocks[0].attn

    def inner(x):
        if not hasattr(gpsa, 'get_rel_indices'):
            return {}
        h = model.patch_embed(x)
        h = h + model.pos_embed if model.use_pos_embed else h
        return {'@out/gpsa_attn_block0': gpsa.get_attention(model.blocks[0].norm1(h)), '@out/rel_indices': gpsa.rel_indices}

    wanted = ['patch_embed', 'norm'] + [f'blocks.{i}{part}' for i in range(config['depth']) for part in ('', '.attn', '.mlp')]
    save(folder, 'convit', name, model, {**config, 'norm_eps': 1e-6}, config['in_chans'], wanted, inner=inner)


def hybrid(folder, name, backbone, describe, changes, channels=3):
    config = {'img_size': 32, 'patch_size': 1, 'num_classes': 5, 'embed_dim': 16, 'depth': 1, 'num_heads': 2, 'mlp_ratio': 2.0, 'qkv_bias': True, **changes}
    options = {**config, 'img_size': tuple(config['img_size']) if isinstance(config['img_size'], list) else config['img_size']}
    model = VisionTransformer(**options, in_chans=channels, norm_layer=norm, embed_layer=partial(HybridEmbed, backbone=backbone))
    wanted = ['patch_embed', 'norm', 'blocks.0'] + [n for n, _ in model.named_modules() if n.startswith('patch_embed.backbone.') and n.split('.')[-1] in ('stem', 'pool', 'maxpool', 'conv', 'conv1', 'norm', 'downsample', '0', '1', '2', 'layer1', 'layer2', 'layer3', 'layer4') and n != 'patch_embed.backbone.norm' and '.head.' not in n]
    extra = {} if channels == 3 else {'in_chans': channels}
    save(folder, 'hybrid', name, model, {**config, **extra, 'backbone': describe, 'norm_eps': 1e-6, 'grid': list(model.patch_embed.grid_size)}, channels, wanted)


def v2(folder, name, layers=(1, 1), channels=(16, 24), stem_chs=8, groups=4, padding='SAME', stem='', in_chans=3, ratio=0.25, conv_eps=1e-8, norm_eps=1e-5, **changes):
    same = padding == 'SAME'
    conv = partial(StdConv2dSame if same else StdConv2d, eps=conv_eps)
    norms = partial(GroupNormAct, num_groups=groups, eps=norm_eps)
    stem_type = stem if not same else 'same' if stem == '' else f'{stem}_same'
    backbone = (ResNetV2(layers=layers, channels=channels, num_classes=0, global_pool='', in_chans=in_chans, preact=False, stem_type=stem_type, conv_layer=conv, norm_layer=norms, stem_chs=stem_chs, bottle_ratio=ratio)
                if layers else create_resnetv2_stem(in_chans, stem_chs, stem_type=stem_type, preact=False, conv_layer=conv, norm_layer=norms))
    describe = {'kind': 'ResNetV2 preact=False (Bottleneck, stride on 3x3)' if layers else 'resnetv2 stem only', 'layers': list(layers), 'channels': list(channels), 'stem_chs': stem_chs,
                'groupnorm_groups': groups, 'groupnorm_eps': norm_eps, 'std_conv_eps': conv_eps, 'padding': padding, 'bottle_ratio': ratio, **({'stem_type': stem_type} if stem else {})}
    hybrid(folder, name, backbone, describe, changes, in_chans)


def resnet_d(folder, name, layers=(1, 2, 1, 1), planes=(4, 4, 6, 8), stem_width=8, stages=4, **changes):
    backbone = FeatureListNet(ResNet(block=Bottleneck, layers=layers, channels=planes, num_classes=0, stem_width=stem_width, stem_type='deep', avg_down=True), out_indices=(stages,), flatten_sequential=False)
    hybrid(folder, name, backbone, {'kind': 'timm ResNet-D (BatchNorm)', 'layers': list(layers[:stages]), 'channels': list(planes[:stages]), 'stem_width': stem_width}, changes)


def edges(folder):
    convit(folder, 'convit_local_to_the_end', local_up_to_layer=2)
    convit(folder, 'convit_local_mean', local_up_to_layer=2, global_pool='avg', use_pos_embed=False)
    convit(folder, 'convit_not_local', local_up_to_layer=0, qkv_bias=True)
    # To the reference, 16 patches are 4 by 4 whatever the image.
    convit(folder, 'convit_rectangular', img_size=[8, 32], in_chans=1, num_heads=3)
    v2(folder, 'hybrid_symmetric_odd', padding='', img_size=[29, 37])
    v2(folder, 'hybrid_stem_symmetric', layers=(), padding='symmetric', patch_size=2, img_size=[31, 24])
    v2(folder, 'hybrid_tiny_map', img_size=9, layers=(2, 1, 1), channels=(16, 24, 40))
    resnet_d(folder, 'hybrid_resnetd_odd', img_size=[45, 38], stages=3)


def at_random(folder, count, seed):
    rng = random.Random(seed)
    pick = rng.choice
    for i in range(count):
        depth = pick([1, 2, 3])
        convit(folder, f'convit_{seed}_{i}', img_size=pick([16, 32, [8, 32]]), in_chans=pick([1, 3]), embed_dim=pick([3, 8, 13]), num_heads=pick([1, 2, 4, 5, 9]), depth=depth, local_up_to_layer=rng.randint(0, depth + 1),
               mlp_ratio=pick([1.5, 3.0, 4.0]), qkv_bias=pick([True, False]), use_pos_embed=pick([True, False]), global_pool=pick(['token', 'avg', '']), num_classes=pick([2, 7]))
        groups = pick([2, 4])
        stages = rng.randint(0, 4)
        patch = pick([1, 1, 2])
        stride = 4 * 2 ** max(0, stages - 1)
        v2(folder, f'hybrid_v2_{seed}_{i}', layers=tuple(rng.randint(1, 2) for _ in range(stages)), channels=tuple(pick([16, 24, 40]) for _ in range(4)), stem_chs=pick([8, 16]), groups=groups, padding=pick(['SAME', '']),
           stem=pick(['', '', '', 'deep']), in_chans=pick([1, 3]), ratio=pick([0.25, 0.5]), conv_eps=pick([1e-8, 1e-6]), patch_size=patch, img_size=[patch * stride * rng.randint(1, 3) - rng.randint(0, 3), patch * stride * rng.randint(1, 3) - rng.randint(0, 3)],
           global_pool=pick(['token', 'avg']), reg_tokens=pick([0, 0, 2]))
        resnet_d(folder, f'hybrid_d_{seed}_{i}', layers=tuple(rng.randint(1, 2) for _ in range(4)), planes=tuple(pick([4, 6, 10]) for _ in range(4)), stem_width=pick([4, 8]), stages=rng.randint(1, 4), img_size=[rng.randint(32, 70), rng.randint(32, 70)])


if __name__ == '__main__':
    if len(sys.argv) > 3:
        at_random(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    else:
        edges(Path(sys.argv[1]))
