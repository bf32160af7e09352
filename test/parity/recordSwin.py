"""Makes reference recordings of Swins with timm, and with Microsoft's own code where it is given.

Usage: python3 test/parity/recordSwin.py DIR [COUNT] [SEED] [--microsoft swin_transformer.py]
With COUNT 0 only the edge cases below, those of test/fixtures/recordings/swin. Else as record.py beside it, with
sizes drawn by the seed. Microsoft's code is models/swin_transformer.py of microsoft/Swin-Transformer f82860b.
"""
import argparse, importlib.util, json, random, re, sys
from pathlib import Path

import modelsOnly  # noqa: F401, before timm
import timm
import timm.layers
import torch
from safetensors.torch import save_file
from timm.models.swin_transformer import SwinTransformer

SMALL = dict(img_size=32, patch_size=4, num_classes=3, embed_dim=8, depths=[2, 2], num_heads=[1, 2], window_size=4, mlp_ratio=1.0)
TIMM = dict(
    rectangular_padded=dict(img_size=[40, 56], window_size=[4, 3]),
    clamped_along_one_axis=dict(img_size=[16, 48], window_size=[4, 6]),
    windows_of_each_stage=dict(depths=[1, 2, 2], num_heads=[1, 2, 4], window_size=[[7, 4], [3, 2], [3, 1]]),
    always_partitioned=dict(window_size=5, always_partition=True),
    head_dims=dict(head_dim=[5, 3], mlp_ratio=[1.5, 2], qkv_bias=False),
    odd_merging=dict(img_size=[60, 44], depths=[1, 2], window_size=[3, 3]),
    features_only=dict(num_classes=0, global_pool="", in_chans=1),
)
MICROSOFT = dict(
    rectangular=dict(img_size=[16, 32], ape=True),
    scaled=dict(qk_scale=0.3, qkv_bias=False, patch_norm=False, num_classes=0),
)


def microsoft(path):
    sys.modules.setdefault("timm.models.layers", timm.layers)
    spec = importlib.util.spec_from_file_location("microsoft_swin", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SwinTransformer


def draw(rng):
    stages = rng.choice([1, 2, 2, 3])
    unit = 2 ** (stages - 1)
    patch = rng.choice([2, 4])
    return dict(
        img_size=[patch * unit * rng.randint(2, 12 // unit + 1) for _ in range(2)], patch_size=patch, in_chans=rng.choice([1, 3]), num_classes=rng.choice([0, 5]),
        embed_dim=12, depths=[rng.randint(1, 3) for _ in range(stages)], num_heads=[rng.choice([1, 2, 3]) for _ in range(stages)],
        window_size=[rng.randint(2, 7), rng.randint(2, 7)], mlp_ratio=rng.choice([1.5, 2.0]), qkv_bias=rng.random() < 0.7, always_partition=rng.random() < 0.2,
    )


def record(kind, config, path, seed):
    torch.manual_seed(seed)
    is_microsoft = kind is not SwinTransformer
    model = kind(**config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            spread = 0.8 if name.endswith("bias_table") else 0.5 if name.endswith("pos_embed") else 0.2 if p.dim() < 2 else (3 / p[0].numel()) ** 0.5
            p.copy_((1 if "norm" in name and name.endswith("weight") else 0) + spread * (2 * torch.rand_like(p) - 1))
    tensors = {}
    for name, module in model.named_modules():
        if re.fullmatch(r"patch_embed|norm|layers\.\d+(\.downsample|\.blocks\.\d+)?", name) and not isinstance(module, torch.nn.Identity):
            module.register_forward_hook(lambda _m, _i, out, key=name: tensors.__setitem__(f"@feat/{key}", out.detach().clone()))
        if not is_microsoft and getattr(module, "attn_mask", None) is not None:
            tensors[f"@out/attn_mask.{name}"] = module.attn_mask
    size = config["img_size"]
    x = torch.randn(2, config.get("in_chans", 3), *(size if isinstance(size, list) else (size, size)))
    with torch.no_grad():
        tensors["@out/logits"] = model(x)
    tensors["@in/x"] = x
    tensors.update(model.state_dict())
    told = {**config, "norm_eps": 1e-5, **({"ape": config.get("ape", False)} if is_microsoft else {})}
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, str(path), {"system": "swin", "name": path.stem, "config": json.dumps(told)})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int, nargs="?", default=12)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    parser.add_argument("--microsoft")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(args.seed)
    if args.count == 0:
        for i, (name, changes) in enumerate(TIMM.items()):
            record(SwinTransformer, {**SMALL, **changes}, args.folder / f"swin_timm_{name}.safetensors", i)
        for i, (name, changes) in enumerate(MICROSOFT.items() if args.microsoft else ()):
            record(microsoft(args.microsoft), {**SMALL, **changes}, args.folder / f"swin_ms_{name}.safetensors", 100 + i)
    for i in range(args.count):
        record(SwinTransformer, draw(rng), args.folder / f"swin_{args.seed}_{i}.safetensors", args.seed * 1000 + i)
    print(f"made by timm {timm.__version__} and torch {torch.__version__}")
