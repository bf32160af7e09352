"""How a random small model of each family is drawn and built with timm."""
import json
from functools import partial

import torch
from timm.models.convit import ConVit
from timm.models.deit import VisionTransformerDistilled
from timm.models.maxxvit import MaxxVit, MaxxVitCfg, MaxxVitConvCfg, MaxxVitTransformerCfg
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from timm.models.vision_transformer_hybrid import HybridEmbed
from timm.models.resnetv2 import ResNetV2, create_resnetv2_stem
from timm.layers import StdConv2dSame, GroupNormAct, get_act_layer

# What each recording of a ViT varies: one of each list, by the seed.
VIT = dict(
    img_size=[32, 48, [32, 48], [40, 24]],
    patch_size=[8, 4],
    in_chans=[1, 3],
    num_classes=[3, 10],
    embed_dim=[32, 48, 96],
    depth=[1, 2, 3],
    num_heads=[2, 4],
    mlp_ratio=[1.5, 2.0, 4.0],
    qkv_bias=[True, False],
    qk_norm=[False, True],
    proj_bias=[True, False],
    init_values=[None, 1e-5, 0.1],
    class_token=[True, True, False],
    no_embed_class=[False, True],
    reg_tokens=[0, 0, 1, 4],
    pre_norm=[False, False, True],
    final_norm=[True, True, False],
    global_pool=["token", "avg", "avgmax", "max", ""],
    fc_norm=[None, None, True, False],
    pool_include_prefix=[False, True],
    pos_embed=["learn", "learn", "none"],
    norm_eps=[1e-6, 1e-5, 1e-3],
    act=["gelu(erf)", "gelu_tanh", "quick_gelu", "relu", "silu"],
)
VIT_ONLY = ("class_token", "no_embed_class", "reg_tokens", "pre_norm", "final_norm", "pos_embed", "qk_norm", "proj_bias", "fc_norm", "pool_include_prefix")


def pick(rng, choices):
    drawn = {key: rng.choice(values) for key, values in choices.items()}
    return {key: value for key, value in drawn.items() if value is not None}


def norm(eps):
    return partial(torch.nn.LayerNorm, eps=eps)


def vit(rng):
    config = pick(rng, VIT)
    if not config["class_token"] and config["global_pool"] == "token":
        config["global_pool"] = "avg"
    return {**config, "class": "VisionTransformer"}


def deit(rng):
    config = pick(rng, VIT)
    for key in VIT_ONLY:
        config.pop(key, None)
    return {**config, "global_pool": "token", "class": "VisionTransformerDistilled"}


def build_vit(config):
    options = {k: v for k, v in config.items() if k not in ("class", "act", "norm_eps")}
    options["act_layer"] = torch.nn.GELU if config["act"] == "gelu(erf)" else get_act_layer(config["act"])
    options["norm_layer"] = norm(config["norm_eps"])
    kind = VisionTransformerDistilled if config["class"] == "VisionTransformerDistilled" else VisionTransformer
    return kind(**options)


def swin(rng):
    return pick(rng, dict(
        img_size=[32, 48, 64, [32, 64], [48, 32], 40], patch_size=[4], in_chans=[1, 3], num_classes=[3, 10], embed_dim=[16, 24], depths=[[2, 2], [1, 2], [2, 1]],
        num_heads=[[2, 4], [4, 4]], window_size=[2, 3, 4, 5, 7, [4, 2]], mlp_ratio=[2.0, 4.0], qkv_bias=[True, False], norm_eps=[1e-5, 1e-6]))


def build_swin(config):
    return SwinTransformer(**{**{k: v for k, v in config.items() if k != "norm_eps"}, "norm_layer": norm(config["norm_eps"])})


def convit(rng):
    config = pick(rng, dict(
        img_size=[32, 24, 40], patch_size=[8, 4], in_chans=[1, 3], num_classes=[3, 10], embed_dim=[8, 12], depth=[1, 2, 3], num_heads=[4, 6, 9], mlp_ratio=[2.0, 4.0],
        qkv_bias=[True, False], local_up_to_layer=[0, 1, 2, 3], locality_strength=[1.0, 0.5], use_pos_embed=[True, True, False], global_pool=["token", "avg"], norm_eps=[1e-6, 1e-5]))
    return config


def build_convit(config):
    return ConVit(**{**{k: v for k, v in config.items() if k != "norm_eps"}, "norm_layer": norm(config["norm_eps"])})


def hybrid(rng):
    size, stages, patch = rng.choice([(64, 2, 1), (50, 2, 1), (61, 1, 1), (48, 0, 4), (64, 0, 4), (64, 3, 1), (64, 1, 2)])
    return {
        "img_size": size, "patch_size": patch, "num_classes": rng.choice([3, 10]), "embed_dim": 32, "depth": rng.choice([1, 2]), "num_heads": rng.choice([2, 4]), "mlp_ratio": 2.0, "qkv_bias": rng.choice([True, False]),
        "backbone": {
            "kind": "resnetv2 stem only" if stages == 0 else "ResNetV2 preact=False (Bottleneck, stride on 3x3)", "layers": [rng.choice([1, 2]) for _ in range(stages)], "channels": [32, 48, 64][:max(stages, 2)], "stem_chs": rng.choice([8, 16]),
            "groupnorm_groups": 4, "groupnorm_eps": 1e-5, "std_conv_eps": 1e-8, "padding": "SAME", "bottle_ratio": 0.25},
        "norm_eps": 1e-6}


def build_hybrid(config):
    b = config["backbone"]
    conv = partial(StdConv2dSame, eps=b["std_conv_eps"])
    group = partial(GroupNormAct, num_groups=b["groupnorm_groups"], eps=b["groupnorm_eps"])
    if b["layers"]:
        backbone = ResNetV2(layers=b["layers"], channels=b["channels"][:len(b["layers"])], num_classes=0, global_pool="", in_chans=config.get("in_chans", 3), stem_chs=b["stem_chs"], preact=False, stem_type="same", conv_layer=conv, norm_layer=group)
    else:
        backbone = create_resnetv2_stem(config.get("in_chans", 3), b["stem_chs"], stem_type="same", preact=False, conv_layer=conv, norm_layer=group)
    options = {k: v for k, v in config.items() if k not in ("backbone", "norm_eps", "grid")}
    model = VisionTransformer(**{**options, "norm_layer": norm(config["norm_eps"]), "embed_layer": partial(HybridEmbed, backbone=backbone)})
    config["grid"] = list(model.patch_embed.grid_size)
    return model


def coatnet(rng):
    eps = rng.choice([1e-6, 1e-5])
    shared = dict(act_layer=rng.choice(["gelu", "silu"]))
    return {
        "embed_dim": [8, 16, 24, 32], "depths": [rng.choice([1, 2]) for _ in range(4)], "block_type": rng.choice([["C", "C", "T", "T"], ["C", "C", "C", "T"], ["C", "T", "T", "T"]]), "stem_width": rng.choice([8, [8, 16]]), "stem_bias": rng.choice([False, True]),
        "conv_cfg": dict(block_type="mbconv", expand_ratio=rng.choice([2.0, 4.0]), expand_output=rng.choice([True, False]), kernel_size=rng.choice([3, 5]), group_size=1, pre_norm_act=rng.choice([True, False]), output_bias=rng.choice([True, False]),
                         stride_mode=rng.choice(["dw", "pool", "1x1"]), pool_type=rng.choice(["avg2", "max", "max2", "avg"]), downsample_pool_type=rng.choice(["avg2", "max2"]), padding="", attn_early=rng.choice([True, False]), attn_layer=rng.choice(["se", "se", None]) or "", attn_act_layer=rng.choice(["silu", "relu"]), attn_ratio=0.25, init_values=rng.choice([1e-6, 0.1]), norm_layer="batchnorm2d", norm_layer_cl="", norm_eps=1e-5, **shared),
        "transformer_cfg": dict(dim_head=8, head_first=rng.choice([True, False]), expand_ratio=4.0, expand_first=rng.choice([True, False]), shortcut_bias=rng.choice([True, False]), attn_bias=rng.choice([True, False]), attn_drop=0.0, proj_drop=0.0, pool_type=rng.choice(["avg2", "max2"]),
                                rel_pos_type=rng.choice(["bias", "mlp", ""]), rel_pos_dim=32, partition_ratio=32, window_size=None, grid_size=None, no_block_attn=False, use_nchw_attn=False, init_values=rng.choice([None, 0.1]), act_layer="gelu", norm_layer=rng.choice(["layernorm2d", "batchnorm2d"]), norm_layer_cl="layernorm", norm_eps=eps),
        "head_hidden_size": rng.choice([None, 40]), "weight_init": "vit_eff", "img_size": 64, "num_classes": 10}


def build_coatnet(config):
    options = {k: v for k, v in config.items() if k not in ("img_size", "num_classes", "conv_cfg", "transformer_cfg")}
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    cfg = MaxxVitCfg(**tuples, conv_cfg=MaxxVitConvCfg(**config["conv_cfg"]), transformer_cfg=MaxxVitTransformerCfg(**config["transformer_cfg"]))
    return MaxxVit(cfg, img_size=config["img_size"], num_classes=config["num_classes"])


FAMILIES = {"vit": (vit, build_vit), "deit": (deit, build_vit), "swin": (swin, build_swin), "convit": (convit, build_convit), "hybrid": (hybrid, build_hybrid), "coatnet": (coatnet, build_coatnet)}

# The modules whose outputs are recorded, by the end of their names.
RECORDED = {
    "vit": ("patch_embed", "norm_pre", "norm", "fc_norm", "blocks.*", "blocks.*.attn", "blocks.*.mlp"),
    "deit": ("patch_embed", "norm_pre", "norm", "blocks.*", "blocks.*.attn", "blocks.*.mlp"),
    "swin": ("patch_embed", "layers.*.blocks.*", "layers.[1-9].downsample", "norm"),
    "convit": ("patch_embed", "blocks.*", "blocks.*.attn", "norm"),
    "hybrid": ("patch_embed", "patch_embed.backbone.stem", "patch_embed.backbone.stages.*.blocks.*", "blocks.*", "norm"),
    "coatnet": ("stem", "stages.*.blocks.*", "norm", "head.global_pool"),
}
