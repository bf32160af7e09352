"""Makes reference recordings of T2T-ViTs and masked autoencoders, of sizes and switches the bundled ones do not have.

Usage: python3 test/parity/recordTokens.py DIR [COUNT] [SEED]
With COUNT 0 only the edge cases below, those of test/fixtures/recordings. The models are written out after
yitu-opensource/T2T-ViT 0f63dc9 and facebookresearch/mae efb2a80, with their names; blocks are timm's. As record.py
beside it, NAME.grad.safetensors holds the gradients, of the cross-entropy or of the masked autoencoder's own loss.
"""
import json
import math
import random
import sys
from functools import partial
from pathlib import Path

import modelsOnly  # noqa: F401, before timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from timm.layers import Mlp, PatchEmbed
from timm.models.vision_transformer import Block
from torch import nn

T2T = dict(img_size=32, tokens_type="performer", in_chans=3, num_classes=3, embed_dim=12, depth=1, num_heads=2, mlp_ratio=2.0, qkv_bias=False, qk_scale=None, token_dim=6, norm_eps=1e-5)
MAE = dict(img_size=16, patch_size=4, in_chans=3, embed_dim=16, depth=1, num_heads=2, decoder_embed_dim=12, decoder_depth=1, decoder_num_heads=3, mlp_ratio=2.0, norm_pix_loss=False, norm_eps=1e-6, mask_ratio=0.75)
EDGES = {
    "t2t_scaled": ("t2t", dict(T2T, qk_scale=12 ** -0.5, qkv_bias=True, norm_eps=1e-3, in_chans=1)),
    "mae_few_masked": ("mae", dict(MAE, mask_ratio=0.3, in_chans=1, patch_size=2, img_size=8, norm_pix_loss=True)),
    "mae_fine_tuned": ("mae", dict(img_size=16, patch_size=4, embed_dim=12, depth=1, num_heads=3, mlp_ratio=2.0, qkv_bias=True, global_pool=True, norm_eps=1e-6, num_classes=3)),
}


def pick(rng, **choices):
    return {key: rng.choice(values) for key, values in choices.items()}


def drawn(rng, system):
    if system == "t2t":
        return dict(T2T, **pick(rng, img_size=[32, 48, 64], tokens_type=["performer", "transformer"], in_chans=[1, 3], num_classes=[0, 3, 7], embed_dim=[8, 12, 24], depth=[1, 2, 3], num_heads=[1, 2, 4], mlp_ratio=[1.5, 2.0, 4.0], qkv_bias=[True, False], qk_scale=[None, 0.2], token_dim=[4, 7, 8], norm_eps=[1e-5, 1e-6, 1e-3]))
    return dict(MAE, **pick(rng, img_size=[16, 24, 32], patch_size=[4, 8], in_chans=[1, 3], embed_dim=[16, 24], depth=[1, 2], num_heads=[1, 2, 4], decoder_embed_dim=[12, 24], decoder_depth=[1, 2], decoder_num_heads=[1, 3], mlp_ratio=[1.5, 4.0], norm_pix_loss=[True, False], norm_eps=[1e-6, 1e-5], mask_ratio=[0.25, 0.5, 0.6, 0.7]))


def block(dim, heads, ratio, bias, eps, scale=None):
    made = Block(dim, heads, mlp_ratio=ratio, qkv_bias=bias, norm_layer=partial(nn.LayerNorm, eps=eps))
    made.attn.fused_attn = False
    made.attn.scale = scale or (dim // heads) ** -0.5
    return made


class Performer(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.kqv, self.proj = nn.Linear(channels, 3 * dim), nn.Linear(dim, dim)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.GELU(), nn.Linear(dim, dim), nn.Dropout(0.1))
        self.m = int(dim * 0.5)
        self.w = nn.Parameter(nn.init.orthogonal_(torch.randn(self.m, dim)) * math.sqrt(self.m), requires_grad=False)

    def features(self, x):
        xd = (x * x).sum(dim=-1, keepdim=True).repeat(1, 1, self.m) / 2
        return torch.exp(torch.einsum("bti,mi->btm", x, self.w) - xd) / math.sqrt(self.m)

    def forward(self, x):
        k, q, v = self.kqv(self.norm1(x)).chunk(3, dim=-1)
        kp, qp = self.features(k), self.features(q)
        d = torch.einsum("bti,bi->bt", qp, kp.sum(dim=1)).unsqueeze(2)
        y = torch.einsum("bti,bni->btn", qp, torch.einsum("bin,bim->bnm", v, kp)) / (d + 1e-8)
        x = v + self.proj(y)
        return x + self.mlp(self.norm2(x))


class TokenAttention(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.scale, self.qkv, self.proj = channels ** -0.5, nn.Linear(channels, 3 * dim, bias=False), nn.Linear(dim, dim)

    def forward(self, x):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        return v + self.proj((q * self.scale @ k.transpose(1, 2)).softmax(-1) @ v)


class TokenTransformer(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.norm1, self.norm2, self.attn, self.mlp = nn.LayerNorm(channels), nn.LayerNorm(dim), TokenAttention(channels, dim), Mlp(dim, dim)

    def forward(self, x):
        x = self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Tokens(nn.Module):
    def __init__(self, kind, channels, token_dim, dim):
        super().__init__()
        step = Performer if kind == "performer" else TokenTransformer
        self.attention1, self.attention2, self.project = step(channels * 49, token_dim), step(token_dim * 9, token_dim), nn.Linear(token_dim * 9, dim)

    def forward(self, x):
        for attend, (size, stride, padding) in ((self.attention1, (7, 4, 2)), (self.attention2, (3, 2, 1)), (self.project, (3, 2, 1))):
            x = attend(F.unfold(x, size, stride=stride, padding=padding).transpose(1, 2))
            side = math.isqrt(x.shape[1])
            tokens, x = x, x.transpose(1, 2).reshape(x.shape[0], -1, side, side)
        return tokens


def sinusoid(count, dim):
    angles = torch.arange(count).double()[:, None] / 10000 ** (2 * (torch.arange(dim) // 2).double() / dim)
    return torch.where(torch.arange(dim) % 2 == 0, angles.sin(), angles.cos()).float()[None]


class T2TViT(nn.Module):
    def __init__(self, img_size, tokens_type, in_chans, num_classes, embed_dim, depth, num_heads, mlp_ratio, qkv_bias, qk_scale, token_dim, norm_eps):
        super().__init__()
        self.tokens_to_token = Tokens(tokens_type, in_chans, token_dim, embed_dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embed = nn.Parameter(sinusoid((img_size // 16) ** 2 + 1, embed_dim), requires_grad=False)
        self.blocks = nn.ModuleList([block(embed_dim, num_heads, mlp_ratio, qkv_bias, norm_eps, qk_scale) for _ in range(depth)])
        self.norm = nn.LayerNorm(embed_dim, eps=norm_eps)
        self.head = nn.Linear(embed_dim, num_classes) if num_classes > 0 else nn.Identity()

    def forward(self, x):
        tokens = self.tokens_to_token(x)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), tokens], 1) + self.pos_embed
        for blk in self.blocks:
            x = blk(x)
        return {"logits": self.head(self.norm(x)[:, 0])}


def grid(dim, side):
    omega = 10000 ** -(torch.arange(dim // 4).double() / (dim / 4))
    row, column = torch.meshgrid(torch.arange(side).double(), torch.arange(side).double(), indexing="ij")
    table = torch.cat([f(at.reshape(-1, 1) * omega) for at in (column, row) for f in (torch.sin, torch.cos)], 1)
    return torch.cat([torch.zeros(1, dim), table.float()])[None]


def patchify(images, p):
    n, c, h, _ = images.shape
    return torch.einsum("nchpwq->nhwpqc", images.reshape(n, c, h // p, p, h // p, p)).reshape(n, -1, p * p * c)


class Mae(nn.Module):
    def __init__(self, img_size, patch_size, in_chans, embed_dim, depth, num_heads, decoder_embed_dim, decoder_depth, decoder_num_heads, mlp_ratio, norm_pix_loss, norm_eps, mask_ratio):
        super().__init__()
        self.ratio, self.normalised, side = mask_ratio, norm_pix_loss, img_size // patch_size
        self.patch_embed = PatchEmbed(img_size, patch_size, in_chans, embed_dim)
        self.cls_token, self.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dim)), nn.Parameter(torch.zeros(1, 1, decoder_embed_dim))
        self.pos_embed, self.decoder_pos_embed = (nn.Parameter(grid(dim, side), requires_grad=False) for dim in (embed_dim, decoder_embed_dim))
        self.blocks = nn.ModuleList([block(embed_dim, num_heads, mlp_ratio, True, norm_eps) for _ in range(depth)])
        self.decoder_blocks = nn.ModuleList([block(decoder_embed_dim, decoder_num_heads, mlp_ratio, True, norm_eps) for _ in range(decoder_depth)])
        self.norm, self.decoder_norm = nn.LayerNorm(embed_dim, eps=norm_eps), nn.LayerNorm(decoder_embed_dim, eps=norm_eps)
        self.decoder_embed, self.decoder_pred = nn.Linear(embed_dim, decoder_embed_dim), nn.Linear(decoder_embed_dim, patch_size ** 2 * in_chans)

    def forward(self, images, noise):
        x = self.patch_embed(images) + self.pos_embed[:, 1:]
        n, count, dim = x.shape
        kept = int(count * (1 - self.ratio))
        shuffle = noise.argsort(1)
        restore = shuffle.argsort(1)
        x = x.gather(1, shuffle[:, :kept, None].expand(-1, -1, dim))
        mask = torch.cat([torch.zeros(n, kept), torch.ones(n, count - kept)], 1).to(x).gather(1, restore)
        x = torch.cat([(self.cls_token + self.pos_embed[:, :1]).expand(n, -1, -1), x], 1)
        for blk in self.blocks:
            x = blk(x)
        latent = self.norm(x)
        x = self.decoder_embed(latent)
        full = torch.cat([x[:, 1:], self.mask_token.expand(n, count - kept, -1)], 1).gather(1, restore[:, :, None].expand(-1, -1, x.shape[2]))
        x = torch.cat([x[:, :1], full], 1) + self.decoder_pos_embed
        for blk in self.decoder_blocks:
            x = blk(x)
        pred = self.decoder_pred(self.decoder_norm(x))[:, 1:]
        target = patchify(images, self.patch_embed.patch_size[0])
        if self.normalised:
            target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6) ** 0.5
        loss = (((pred - target) ** 2).mean(-1) * mask).sum() / mask.sum()
        return {"pred": pred, "latent": latent, "mask": mask, "ids_restore": restore.int(), "loss": loss.reshape(1)}


class FineTuned(nn.Module):
    def __init__(self, img_size, patch_size, embed_dim, depth, num_heads, mlp_ratio, qkv_bias, global_pool, norm_eps, num_classes):
        super().__init__()
        self.patch_embed = PatchEmbed(img_size, patch_size, 3, embed_dim)
        self.cls_token, self.pos_embed = nn.Parameter(torch.zeros(1, 1, embed_dim)), nn.Parameter(torch.zeros(1, (img_size // patch_size) ** 2 + 1, embed_dim))
        self.blocks = nn.ModuleList([block(embed_dim, num_heads, mlp_ratio, qkv_bias, norm_eps) for _ in range(depth)])
        self.fc_norm, self.head = nn.LayerNorm(embed_dim, eps=norm_eps), nn.Linear(embed_dim, num_classes)

    def forward(self, images):
        x = self.patch_embed(images)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for blk in self.blocks:
            x = blk(x)
        return {"logits": self.head(self.fc_norm(x[:, 1:].mean(1)))}


def build(system, config):
    return T2TViT(**config) if system == "t2t" else FineTuned(**config) if "global_pool" in config else Mae(**config)


def record(folder, name, system, config, seed):
    torch.manual_seed(seed)
    model = build(system, config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter) * (0.6 / max(1.0, parameter[0].numel() ** 0.5) if parameter.dim() > 1 else 0.3) + (0.3 if parameter.dim() == 1 else 0.0))
    x = torch.randn(2, config.get("in_chans", 3), config["img_size"], config["img_size"])
    inputs = (x, torch.rand(2, (config["img_size"] // config["patch_size"]) ** 2)) if isinstance(model, Mae) else (x,)
    named = dict(zip(("@in/x", "@in/noise"), inputs))
    tensors = {}
    for key, module in model.named_modules():
        if key in ("patch_embed", "decoder_embed", "tokens_to_token", "norm") or key.split(".")[-1].startswith("attention") or (key.count(".") == 1 and "blocks." in key):
            module.register_forward_hook(lambda _m, _i, out, key=key: tensors.__setitem__(f"@feat/{key}", out.detach().clone().contiguous()))
    with torch.no_grad():
        outputs = model(*inputs)
    tensors.update({f"@out/{key}": value.contiguous() for key, value in outputs.items()})
    metadata = {"system": system, "name": name, "config": json.dumps(config)}
    save_file({**{key: value.contiguous() for key, value in model.state_dict().items()}, **named, **tensors}, str(folder / f"{name}.safetensors"), metadata)
    if "logits" in outputs and outputs["logits"].shape[1] != config.get("num_classes"):
        return
    # In double precision, as record.py.
    model = model.double()
    x = inputs[0].double().requires_grad_()
    outputs = model(x, *(i.double() for i in inputs[1:]))
    target = torch.randint(0, outputs["logits"].shape[1], (2,)) if "logits" in outputs else None
    loss = outputs["loss"].sum() if target is None else F.cross_entropy(outputs["logits"], target)
    loss.backward()
    gradients = {f"@grad/{key}": p.grad.float().contiguous() for key, p in model.named_parameters() if p.grad is not None}
    told = {"@grad_in/x": x.grad.float().contiguous(), "@out/loss": loss.detach().float().reshape(1), **({} if target is None else {"@in/target": target})}
    save_file({**gradients, **told}, str(folder / f"{name}.grad.safetensors"), metadata)


if __name__ == "__main__":
    arguments = dict(enumerate(sys.argv))
    folder, count, seed = Path(arguments[1]), int(arguments.get(2, 0)), int(arguments.get(3, 1))
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    cases = [(name, *case) for name, case in EDGES.items()] if count == 0 else [(f"{system}_{seed}_{i}", system, drawn(rng, system)) for i, system in enumerate(["t2t", "mae"] * ((count + 1) // 2))]
    for i, (name, system, config) in enumerate(cases):
        record(folder, name, system, config, seed * 1000 + i)
    print(f"{len(cases)} recordings")
