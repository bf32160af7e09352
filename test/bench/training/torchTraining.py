"""One training step of a ViT in PyTorch, whenever a line comes in: a line with milliseconds and the loss goes out.

Started by training.mjs: torchTraining.py FILE, a JSON line (config, rate, threads, tensors) and then their raw values.
"""
import json
import sys
import time

import torch
from torch.nn import functional as F

with open(sys.argv[1], "rb") as file:
    given = json.loads(file.readline())
    raw = file.read()
config = given["config"]
torch.set_num_threads(given["threads"])
values, at = {}, 0
for name, shape, kind in given["tensors"]:
    count = int(torch.Size(shape).numel())
    values[name] = torch.frombuffer(bytearray(raw[at:at + 4 * count]), dtype=getattr(torch, kind)).reshape(shape)
    at += 4 * count
x, y = values.pop("@x").permute(0, 3, 1, 2).contiguous(), values.pop("@y").long()
parameters = {name: value.requires_grad_() for name, value in values.items()}
optimiser = torch.optim.Adam(parameters.values(), lr=given["rate"], eps=1e-7)


def linear(t, name):
    return F.linear(t, parameters[name + ".weight"], parameters[name + ".bias"])


def norm(t, name):
    return F.layer_norm(t, t.shape[-1:], parameters[name + ".weight"], parameters[name + ".bias"], 1e-6)


def forward(images):
    """A ViT by PyTorch's own fused functions, with timm's names."""
    patches = F.conv2d(images, parameters["patch_embed.proj.weight"], parameters["patch_embed.proj.bias"], stride=config["patchSize"])
    patches = patches.flatten(2).transpose(1, 2)
    t = torch.cat([parameters["cls_token"].expand(len(images), -1, -1), patches], 1) + parameters["pos_embed"]
    for i in range(config["depth"]):
        block = f"blocks.{i}."
        qkv = linear(norm(t, block + "norm1"), block + "attn.qkv")
        q, k, v = qkv.unflatten(2, (3, config["numHeads"], -1)).permute(2, 0, 3, 1, 4)
        t = t + linear(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2), block + "attn.proj")
        t = t + linear(F.gelu(linear(norm(t, block + "norm2"), block + "mlp.fc1")), block + "mlp.fc2")
    return linear(norm(t, "norm")[:, 0], "head")


print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    optimiser.zero_grad()
    loss = F.cross_entropy(forward(x), y)
    loss.backward()
    optimiser.step()
    print(json.dumps({"ms": (time.perf_counter() - start) * 1000, "loss": loss.item()}), flush=True)
