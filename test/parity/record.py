"""Makes reference recordings of models with timm, of sizes and options the bundled ones do not have.

Usage: python3 test/parity/record.py DIR [COUNT] [SEED] [FAMILY,FAMILY…]
Each file holds weights, an input, the logits and inner outputs, in the format `vitrail verify` replays.
Needs torch, timm, safetensors.
"""
import fnmatch
import json
import random
import sys
from pathlib import Path

import modelsOnly  # noqa: F401, before timm
import timm
import torch
from safetensors.torch import save_file

from families import FAMILIES, RECORDED


def fill(model):
    """Weights of a size that lets every part of a model matter."""
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.5 / max(1.0, parameter[0].numel() ** 0.5) if parameter.dim() > 1 else 0.3
            parameter.copy_(torch.randn_like(parameter) * scale + (0.2 if parameter.dim() == 1 else 0.0))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.copy_(torch.randn_like(buffer) * 0.2)
            if name.endswith("running_var"):
                buffer.copy_(torch.rand_like(buffer) + 0.5)


def record(family, config, build, path, name, seed):
    torch.manual_seed(seed)
    model = build(config).eval()
    fill(model)
    tensors = {}
    for module_name, module in model.named_modules():
        if any(fnmatch.fnmatchcase(module_name, pattern) and module_name.count(".") == pattern.count(".") for pattern in RECORDED[family]):
            module.register_forward_hook(lambda _m, _i, out, key=module_name: tensors.__setitem__(f"@feat/{key}", out.detach().clone().contiguous()))
    height, width = config["img_size"] if isinstance(config["img_size"], list) else (config["img_size"],) * 2
    x = torch.randn(2, config.get("in_chans", 3), height, width)
    with torch.no_grad():
        logits = model(x)
    tensors["@in/x"], tensors["@out/logits"] = x, logits.contiguous()
    tensors.update({key: value.contiguous() for key, value in model.state_dict().items()})
    save_file(tensors, str(path / f"{name}.safetensors"), {"system": family, "name": name, "config": json.dumps(config)})


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    folder, count, seed = Path(arguments[1]), int(arguments.get(2, 12)), int(arguments.get(3, 1))
    chosen = arguments.get(4, ",".join(FAMILIES)).split(",")
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    for i in range(count):
        family = chosen[i % len(chosen)]
        draw, build = FAMILIES[family]
        record(family, draw(rng), build, folder, f"{family}_{seed}_{i}", seed * 1000 + i)
    print(f"{count} recordings by timm {timm.__version__} and torch {torch.__version__}")
