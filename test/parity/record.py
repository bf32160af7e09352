"""Makes reference recordings of ViTs and DeiTs with timm, of sizes and options the bundled ones do not have.

Usage: python3 test/parity/record.py DIR [COUNT] [SEED]
Each file holds weights, an input, the logits and inner outputs, in the format `vitrail verify` replays.
Needs torch, timm, safetensors.
"""
import json, random, sys
from pathlib import Path

import modelsOnly  # noqa: F401, before timm
import timm
import torch
from functools import partial
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from timm.models.deit import VisionTransformerDistilled

# What each recording varies; one of each list, by the seed.
CHOICES = dict(
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


def activation(name):
    from timm.layers import get_act_layer
    return torch.nn.GELU if name == "gelu(erf)" else get_act_layer(name)


def build(config):
    options = {k: v for k, v in config.items() if k not in ("class", "act", "norm_eps")}
    options["act_layer"] = activation(config["act"])
    options["norm_layer"] = partial(torch.nn.LayerNorm, eps=config["norm_eps"])
    kind = VisionTransformerDistilled if config["class"] == "VisionTransformerDistilled" else VisionTransformer
    return kind(**options)


def draw(rng, distilled):
    config = {key: rng.choice(values) for key, values in CHOICES.items()}
    config = {key: value for key, value in config.items() if value is not None}
    if distilled:
        for key in ("class_token", "no_embed_class", "reg_tokens", "pre_norm", "final_norm", "pos_embed", "qk_norm", "proj_bias", "fc_norm", "pool_include_prefix"):
            config.pop(key, None)
        config["global_pool"] = "token"
    elif not config["class_token"] and config["global_pool"] == "token":
        config["global_pool"] = "avg"
    config["class"] = "VisionTransformerDistilled" if distilled else "VisionTransformer"
    return config


def record(config, path, name, seed):
    torch.manual_seed(seed)
    model = build(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * (0.5 / max(1.0, parameter[0].numel() ** 0.5) if parameter.dim() > 1 else 0.3) + (1.0 if parameter.dim() == 1 else 0.0) * 0.2)
    tensors = {}
    wanted = ["patch_embed", "norm_pre", "norm", "fc_norm"] + [f"blocks.{i}{part}" for i in range(config["depth"]) for part in ("", ".attn", ".mlp")]
    modules = dict(model.named_modules())
    for module_name in wanted:
        if module_name in modules:
            modules[module_name].register_forward_hook(lambda _m, _i, out, key=module_name: tensors.__setitem__(f"@feat/{key}", out.detach().clone().contiguous()))
    height, width = config["img_size"] if isinstance(config["img_size"], list) else (config["img_size"],) * 2
    x = torch.randn(2, config["in_chans"], height, width)
    with torch.no_grad():
        logits = model(x)
    tensors["@in/x"], tensors["@out/logits"] = x, logits.contiguous()
    tensors.update({key: value.contiguous() for key, value in model.state_dict().items()})
    system = "deit" if config["class"] == "VisionTransformerDistilled" else "vit"
    save_file(tensors, str(path / f"{name}.safetensors"), {"system": system, "name": name, "config": json.dumps(config)})


if __name__ == "__main__":
    folder, count, seed = Path(sys.argv[1]), int((sys.argv + ["", "", "12"])[2] or 12), int((sys.argv + ["", "", "", "1"])[3] or 1)
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    for i in range(count):
        distilled = i % 4 == 3
        record(draw(rng, distilled), folder, f"{'deit' if distilled else 'vit'}_{seed}_{i}", seed * 1000 + i)
    print(f"{count} recordings by timm {timm.__version__} and torch {torch.__version__}")
