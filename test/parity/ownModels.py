"""Our own models in PyTorch, under our ids and options: timm's, MAE after recordTokens.py, and DynamicViT below."""
import sys

import modelsOnly  # noqa: F401, before timm
import torch
import torch.nn.functional as F
from families import build_convit, build_hybrid, build_swin, build_vit, norm
from recordTokens import Mae
from timm.models.vision_transformer import VisionTransformer
from torch import nn

# As recipes/*.ts have them; a configuration may change them.
PATCHES = dict(imageSize=28, channels=1, patchSize=4, dim=64, depth=6, numHeads=4, mlpRatio=2)
VIT = dict(PATCHES, numClasses=10)
SIZES = {
    "vit_fashion_mnist": VIT,
    "vit_distilled_fashion_mnist": VIT,
    "mae_ft_vit_fashion_mnist": VIT,
    "mae_vit_fashion_mnist": dict(PATCHES, decoderDim=32, decoderDepth=1, decoderNumHeads=2),
    "dynamicvit_fashion_mnist": dict(VIT, pruneAt=[2, 4], keep=[34, 24]),
    "convit_fashion_mnist": dict(VIT, localLayers=4),
    "hybrid_fashion_mnist": dict(VIT, patchSize=1, depth=4, stageDepths=[1, 1], stageDims=[32, 64], stemDim=16, numGroups=8),
    "swin_fashion_mnist": dict(imageSize=28, channels=1, patchSize=2, dim=32, depths=[2, 4], numHeads=[2, 4], windowSize=7, mlpRatio=2, numClasses=10, dropPath=0),
}
# What the reference calls our options.
SHARED = dict(imageSize="img_size", channels="in_chans", patchSize="patch_size", dim="embed_dim", depth="depth", numHeads="num_heads", mlpRatio="mlp_ratio", numClasses="num_classes")
FURTHER = dict(
    swin=dict(depths="depths", windowSize="window_size", dropPath="drop_path_rate"), convit=dict(localLayers="local_up_to_layer"), dynamicvit=dict(pruneAt="prune_at", keep="keep"),
    mae_vit=dict(decoderDim="decoder_embed_dim", decoderDepth="decoder_depth", decoderNumHeads="decoder_num_heads"), hybrid=dict(stageDepths="layers", stageDims="channels", stemDim="stem_chs", numGroups="groupnorm_groups"))


def only(given, *known):
    """What was given, where it holds nothing else."""
    unknown = [key for key in given if key not in known]
    return given if not unknown else sys.exit(f"twin: not known here: {', '.join(unknown)}")


def build(model, normalised=False):
    """The model of a configuration: an id, or one and the sizes it changes. `normalised`: whether MAE's loss is on normalised pixels."""
    name, changes = (model, {}) if isinstance(model, str) else (only(model, "recipe", "config")["recipe"], model.get("config", {}))
    if name not in SIZES:
        sys.exit(f"twin: there is no twin of '{name}'; there are {', '.join(SIZES)}")
    family = name.removesuffix("_fashion_mnist")
    further = FURTHER.get(family, {})
    options = {{**SHARED, **further}[key]: value for key, value in only({**SIZES[name], **changes}, *SHARED, *further).items()}
    if family == "swin":
        return build_swin(dict(options, norm_eps=1e-5))
    if family == "convit":  # timm counts the channels of a head
        return build_convit(dict(options, embed_dim=options["embed_dim"] // options["num_heads"], norm_eps=1e-6))
    if family == "hybrid":
        backbone = dict({key: options.pop(key) for key in further.values()}, groupnorm_eps=1e-5, std_conv_eps=1e-8)
        return build_hybrid(dict(options, norm_eps=1e-6, backbone=backbone))
    if family == "mae_vit":
        return Mae(**options, norm_pix_loss=normalised, norm_eps=1e-6, mask_ratio=0.75)
    if family == "dynamicvit":
        return DynamicVit(**options, norm_layer=norm(1e-6))
    return build_vit({**options, "class": "VisionTransformer", "act": "gelu(erf)", "norm_eps": 1e-6, "global_pool": "avg" if family == "mae_ft_vit" else "token"})


def begin(model):
    """Draws the first weights as our layers do (src/layers, src/weights/initialise.ts); frozen tables stay."""
    for name, p in model.named_parameters():
        if p.requires_grad and p.ndim == 1:
            nn.init.constant_(p, 0 if name.endswith("bias") else 1)
        elif p.requires_grad and p.ndim == 4:
            nn.init.kaiming_uniform_(p)
        elif p.requires_grad:
            nn.init.normal_(p, std=0.02)
    for module in model.modules():
        if hasattr(module, "local_init"):
            module.local_init()
    return model


class Scores(nn.Module):
    """Logarithms of the probabilities to keep and to drop a token."""

    def __init__(self, dim):
        super().__init__()
        self.in_conv = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU())
        self.out_conv = nn.Sequential(nn.Linear(dim, dim // 2), nn.GELU(), nn.Linear(dim // 2, dim // 4), nn.GELU(), nn.Linear(dim // 4, 2), nn.LogSoftmax(-1))

    def forward(self, x, counted):
        near, far = self.in_conv(x).chunk(2, -1)
        far = (far * counted).sum(1, keepdim=True) / counted.sum(1, keepdim=True).clamp(min=1)
        return self.out_conv(torch.cat([near, far.expand_as(near)], -1))


def under(block, x, counted):
    """timm's block on tokens of which each sees only those that count, and itself (DynamicViT, equations 10 and 11)."""
    n, attention = x.shape[1], block.attn
    q, k, v = attention.qkv(block.norm1(x)).unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    scores = q @ k.transpose(-2, -1) * attention.scale
    seen = counted.reshape(-1, 1, 1, n)
    shares = (scores - scores.amax(-1, keepdim=True)).exp() * (seen + (1 - seen) * torch.eye(n))
    shares = (shares + 1e-6 / n) / (shares.sum(-1, keepdim=True) + 1e-6)
    x = x + attention.proj((shares @ v).transpose(1, 2).flatten(2))
    return x + block.mlp(block.norm2(x))


class DynamicVit(VisionTransformer):
    """After raoyongming/DynamicViT. In training every token stays, and what is decided is whether it counts; else the best are kept."""

    def __init__(self, prune_at, keep, embed_dim, **options):
        super().__init__(embed_dim=embed_dim, **options)
        self.prune_at, self.keep, self.score_predictor = prune_at, keep, nn.ModuleList(Scores(embed_dim) for _ in prune_at)

    def forward(self, x):
        x = self._pos_embed(self.patch_embed(x))
        counted, decisions = torch.ones(len(x), x.shape[1] - 1, 1), []
        for i, block in enumerate(self.blocks):
            stage = self.prune_at.index(i) if i in self.prune_at else None
            if stage is not None and self.training:
                counted = F.gumbel_softmax(self.score_predictor[stage](x[:, 1:], counted), hard=True)[..., :1] * counted
                decisions.append(counted[..., 0])
            elif stage is not None:
                scores = self.score_predictor[stage](x[:, 1:], torch.ones(len(x), x.shape[1] - 1, 1))[..., 0]
                best = scores.topk(self.keep[stage], sorted=False).indices[..., None].expand(-1, -1, x.shape[2])
                x = torch.cat([x[:, :1], x[:, 1:].gather(1, best)], 1)
            x = under(block, x, torch.cat([torch.ones(len(x), 1, 1), counted], 1)) if decisions else block(x)
        x = self.norm(x)
        logits = self.head(x[:, 0])
        return (logits, x[:, 1:], decisions) if self.training else logits
