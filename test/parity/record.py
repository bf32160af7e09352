"""Makes reference recordings of models with timm, of sizes and options the bundled ones do not have.

Usage: python3 test/parity/record.py DIR [COUNT] [SEED] [FAMILY,FAMILY…]
Each file holds weights, an input, the logits and inner outputs, in the format `vitrail verify` replays; beside it
`NAME.grad.safetensors` holds the gradients of the mean cross-entropy in inference mode, and for CoAtNets, whose batch
norms make a difference, `NAME.grad_train.safetensors` those in training mode and the statistics after that step. Needs torch, timm, safetensors.
"""
import copy
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
    metadata = {"system": family, "name": name, "config": json.dumps(config)}
    save_file(tensors, str(path / f"{name}.safetensors"), metadata)
    if logits.dim() == 2:
        modes = ("grad", "grad_train") if family == "coatnet" else ("grad",)
        for mode in modes:
            save_file(gradients(model, x, mode == "grad_train"), str(path / f"{name}.{mode}.safetensors"), metadata)


def gradients(model, x, training):
    # In double precision: statistics of a batch of two amplify rounding, and that of the recording is not ours.
    model = copy.deepcopy(model).double().train(training)
    for module in model.modules():
        if hasattr(module, "rel_indices"):
            module.rel_indices = None  # ConViT keeps those it made in single precision
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0  # nobody can draw the same masks; timm's RelPosMlp drops whatever its rates are
    x = x.double().requires_grad_()
    torch.set_default_dtype(torch.float64)  # for what a model makes on the way
    logits = model(x)
    target = torch.randint(0, logits.shape[1], (len(x),))
    loss = torch.nn.functional.cross_entropy(logits, target)
    loss.backward()
    torch.set_default_dtype(torch.float32)
    tensors = {f"@grad/{key}": p.grad.clone().contiguous() for key, p in model.named_parameters() if p.grad is not None}
    if training:
        tensors.update({f"@after/{key}": b.clone().contiguous() for key, b in model.named_buffers() if key.endswith(("running_mean", "running_var"))})
    tensors.update({"@grad_in/x": x.grad.contiguous(), "@in/target": target, "@out/loss": loss.detach().reshape(1), "@out/logits": logits.detach().contiguous()})
    return {key: t.float() if t.is_floating_point() else t for key, t in tensors.items()}


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
