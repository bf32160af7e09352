"""Makes reference recordings of random AutoFormer supernets, each with sub-networks sampled from it.

Usage: python3 test/parity/recordAutoformer.py DIR [COUNT]
With COUNT 0 only the two of test/fixtures/recordings, each of one seed. The model is written out after microsoft/Cream
4a13c40, `Vision_TransformerSuper` in evaluation, with its names, one sampled configuration at a time, in float64.
"""
import json
import os
import random
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file


def weights(c, rng):
    d, grid = c["embed_dim"], (c["img_size"][0] // c["patch_size"]) * (c["img_size"][1] // c["patch_size"])
    w = {"cls_token": (1, 1, d), "patch_embed_super.proj.weight": (d, c["in_chans"], c["patch_size"], c["patch_size"]), "patch_embed_super.proj.bias": (d,), "head.weight": (c["num_classes"], d), "head.bias": (c["num_classes"],)}
    if c["abs_pos"]:
        w["pos_embed"] = (1, grid + 1, d)
    hidden = int(c["mlp_ratio"] * d)
    for i in range(c["depth"]):
        b = f"blocks.{i}."
        w[b + "attn.qkv.weight"] = (3 * d, d)
        if c["qkv_bias"]:
            w[b + "attn.qkv.bias"] = (3 * d,)
        if c["relative_position"]:
            for table in "kv":
                for way in "vh":
                    w[f"{b}attn.rel_pos_embed_{table}.embeddings_table_{way}"] = (2 * c["max_relative_position"] + 2, d // c["num_heads"])
        for name, shape in {"attn.proj": (d, d), "fc1": (hidden, d), "fc2": (d, hidden)}.items():
            w[b + name + ".weight"], w[b + name + ".bias"] = shape, shape[:1]
        for name in ["attn_layer_norm", "ffn_layer_norm"]:
            w[f"{b}{name}.weight"] = w[f"{b}{name}.bias"] = (d,)
    if c["pre_norm"]:
        w["norm.weight"] = w["norm.bias"] = (d,)
    g = torch.Generator().manual_seed(rng.randrange(1 << 30))
    return {k: torch.randn(s, generator=g) * (0.3 if len(s) < 3 else 0.5) + (1 if "norm.weight" in k else 0) for k, s in w.items()}


def relative(v, h, n, most):
    size = int((n - 1) ** 0.5)
    at = torch.arange(n - 1)
    down, over = at[None] // size - at[:, None] // size, at[None] % size - at[:, None] % size
    index = [F.pad(d.clamp(-most, most) + most + 1, (1, 0, 1, 0)) for d in (down, over)]
    return v[index[0]] + h[index[1]]


def attention(x, w, b, c, heads, dim):
    (batch, n, _), wide = x.shape, c["embed_dim"]
    inner = 64 * heads if c["change_qkv"] else wide
    weight = w[b + "qkv.weight"][:, :dim]
    weight = torch.cat([weight[i:3 * inner:3] for i in range(3)]) if c["change_qkv"] else weight
    bias = w[b + "qkv.bias"][:3 * inner] if c["qkv_bias"] else None
    scale = 64 ** -0.5 if c["change_qkv"] else (dim // heads) ** -0.5
    q, k, v = F.linear(x, weight, bias).reshape(batch, n, 3, heads, -1).permute(2, 0, 3, 1, 4)
    scores = q @ k.transpose(-2, -1) * scale
    if c["relative_position"]:
        keys, values = (relative(*(w[f"{b}rel_pos_embed_{t}.embeddings_table_{way}"][:, :inner // heads] for way in "vh"), n, c["max_relative_position"]) for t in "kv")
        scores = scores + torch.einsum("bhqc,qkc->bhqk", q, keys) * scale
    scores = scores.softmax(-1)
    y = (scores @ v).transpose(1, 2).reshape(batch, n, -1)
    if c["relative_position"]:
        y = y + torch.einsum("bhqk,qkc->bqhc", scores, values).reshape(batch, n, -1)
    if c["scale"]:
        y = y * (wide / inner)
    return F.linear(y, w[b + "proj.weight"][:dim, :inner], w[b + "proj.bias"][:dim])


def forward(x, w, c, sample):
    dim = sample["embed_dim"][0]
    norm = lambda x, name: F.layer_norm(x, (dim,), w[name + ".weight"][:dim], w[name + ".bias"][:dim], c["norm_eps"])
    x = F.conv2d(x, w["patch_embed_super.proj.weight"][:dim], w["patch_embed_super.proj.bias"][:dim], stride=c["patch_size"]).flatten(2).transpose(1, 2)
    x = torch.cat([w["cls_token"][..., :dim].expand(len(x), -1, -1), x], 1)
    if c["abs_pos"]:
        x = x + w["pos_embed"][..., :dim]
    for i in range(sample["layer_num"]):
        b, pre = f"blocks.{i}.", c["pre_norm"]
        hidden = int(dim * sample["mlp_ratio"][i])
        y = attention(norm(x, b + "attn_layer_norm") if pre else x, w, b + "attn.", c, sample["num_heads"][i], dim)
        x = x + y if pre else norm(x + y, b + "attn_layer_norm")
        y = F.gelu(F.linear(norm(x, b + "ffn_layer_norm") if pre else x, w[b + "fc1.weight"][:hidden, :dim], w[b + "fc1.bias"][:hidden]))
        y = F.linear(y, w[b + "fc2.weight"][:dim, :hidden], w[b + "fc2.bias"][:dim])
        if c["scale"]:
            y = y * (c["mlp_ratio"] / sample["mlp_ratio"][i])
        x = x + y if pre else norm(x + y, b + "ffn_layer_norm")
    if c["pre_norm"]:
        x = norm(x, "norm")
    x = x[:, 1:].mean(1) if c["gp"] else x[:, 0]
    return x, F.linear(x, w["head.weight"][:, :dim], w["head.bias"])


def drawn(rng):
    change = rng.random() < 0.6
    dim, heads = rng.choice([(128, 2), (192, 2), (192, 3)] if change else [(32, 4), (48, 4), (48, 2)])
    depth = rng.choice([1, 2, 3])
    c = dict(
        img_size=rng.choice([[32, 32], [24, 24], [24, 40]]), patch_size=8, in_chans=rng.choice([1, 3]), num_classes=rng.choice([3, 10]), embed_dim=dim, depth=depth, num_heads=heads,
        mlp_ratio=rng.choice([0.75, 2.0, 3.5]), qkv_bias=rng.choice([True, False]), gp=rng.choice([True, False]), relative_position=rng.choice([True, True, False]), change_qkv=change,
        abs_pos=rng.choice([True, False]), max_relative_position=rng.choice([1, 3, 14]), scale=rng.choice([True, False]), pre_norm=rng.choice([True, True, False]), norm_eps=rng.choice([1e-5, 1e-3]))

    def sample():
        layers = rng.randint(1, depth)
        own = range(1, dim // 64 + 1) if change else [h for h in range(1, 9) if dim % h == 0 and (not c["relative_position"] or h >= heads)]
        # As the reference has it, a list may be longer than there are blocks.
        return dict(layer_num=layers, embed_dim=[rng.choice([dim, dim - 8, dim // 2])] * depth, num_heads=[rng.choice(list(own)) for _ in range(depth)], mlp_ratio=[rng.choice([0.5, 0.6, c["mlp_ratio"]]) for _ in range(depth)])

    return {**c, "samples": [sample() for _ in range(rng.randint(1, 3))]}


def record(path, name, seed):
    rng = random.Random(seed)
    c = drawn(rng)
    w = weights(c, rng)
    x = torch.randn(2, c["in_chans"], *c["img_size"], generator=torch.Generator().manual_seed(seed))
    tensors = {**w, "@in/x": x}
    for i, sample in enumerate(c["samples"]):
        features, logits = forward(x.double(), {k: v.double() for k, v in w.items()}, c, sample)
        tensors |= {f"@out/features.{i}": features.float(), f"@out/logits.{i}": logits.float()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, f"{path}/{name}.safetensors", {"system": "autoformer", "name": name, "config": json.dumps(c)})


if __name__ == "__main__":
    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
    os.makedirs(folder, exist_ok=True)
    for name, seed in {"autoformer_wide_scaled": 5, "autoformer_post_norm": 2, **{f"autoformer_{seed}": seed for seed in range(count)}}.items():
        record(folder, name, seed)
