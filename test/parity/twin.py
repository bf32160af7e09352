"""Trains our own models in PyTorch: the same sizes, settings and data, by timm's layers and PyTorch's AdamW.

    python3 test/parity/twin.py recipes/training/vit_fashion_mnist.json SEED...
    python3 test/parity/twin.py CONFIG --check recipes/weights/vit_fashion_mnist.safetensors

The first says how many of 10,000 held-out images are right after training, the second with weights of ours. What the
configuration says is done but for its seed, and what is not known here is refused. Models begin as our recipes do; --theirs lets timm draw
the first weights. So only chance differs from `vitrail train`: the first weights, the samples left out for validation,
the order of the others, noise. The weights after the last step count. Needs torch, timm, safetensors.
"""
import argparse, gzip, json, math, struct, sys, time
from pathlib import Path

from ownModels import DynamicVit, Mae, begin, build, only  # before timm
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

ROOT = Path(__file__).resolve().parents[2]


def lesson(aim, images):
    """What the loss of a batch is, by a configuration's objective: (model, images, labels, the samples' numbers) → number."""
    name, options = aim.get("name", "classification"), aim.get("config", {})
    if name == "classification":
        only(options)
        return lambda model, x, y, _: F.cross_entropy(model(x), y)
    if name == "maskedAutoencoder":
        only(options, "normalisePixels")
        return lambda model, x, y, _: model(x, torch.rand(len(x), model.pos_embed.shape[1] - 1))["loss"]
    if name == "distillation":
        only(options, "kind", "alpha", "temperature", "teacher")
        if options["kind"] != "soft":
            sys.exit("twin: only soft distillation is known here")
        return distillation(said(opened(options["teacher"], "model", "weights"), images), options["alpha"], options["temperature"])
    if name == "pruning":
        only(options, "shares", "teacher")
        if options["teacher"]["tokens"] != "norm":
            sys.exit("twin: a teacher's tokens are those after its last norm")
        return pruning(opened(options["teacher"], "model", "weights", "tokens").eval(), options["shares"])
    sys.exit(f"twin: the objective '{name}' is not known here")


def distillation(taught, alpha, t):
    """As src/training/losses/distillation.ts; the teacher sees images as they are, so it spoke once."""

    def loss(model, x, y, at):
        logits = model(x)
        distance = F.kl_div((logits / t).log_softmax(-1), (taught[at] / t).log_softmax(-1), log_target=True, reduction="none").mean()
        return (1 - alpha) * F.cross_entropy(logits, y) + alpha * t * t * distance

    return loss


def pruning(teacher, shares):
    """As src/training/losses/pruned.ts, with its weights."""

    def loss(model, x, y, _):
        logits, tokens, decisions = model(x)
        with torch.no_grad():
            features = teacher.forward_features(x)
            taught, theirs = teacher.forward_head(features), features[:, 1:]
        kept = decisions[-1].detach()
        missed = sum(((d.mean(1) - share) ** 2).mean() for d, share in zip(decisions, shares, strict=True)) / len(decisions)
        away = F.kl_div(logits.log_softmax(-1), taught.log_softmax(-1), log_target=True, reduction="batchmean")
        far = (((tokens - theirs) ** 2).mean(-1) * kept).sum() / kept.sum().clamp(min=1)
        return F.cross_entropy(logits, y) + 2 * missed + 0.5 * away + 0.5 * far

    return loss


def takes_decay(name, p):
    """As src/training/takesDecay.ts."""
    return p.ndim > 1 and name.split(".")[-1] not in ("pos_embed", "decoder_pos_embed", "relative_position_bias_table", "cls_token", "mask_token")


def train(model, config, images, labels, loss_of):
    """As src/training/loop: whole batches in a new order each epoch, the rate of every step, gradients clipped by their norm."""
    keep = torch.randperm(len(images))[round(len(images) * config["data"]["validation"]):]
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decay = config["optimiser"]["config"]["weightDecay"]
    optimiser = torch.optim.AdamW([{"params": [p for name, p in trained if takes_decay(name, p) == takes], "weight_decay": decay * takes} for takes in (True, False)], lr=1)
    size, top, warm = config["batchSize"], config["schedule"]["config"]["rate"], config["warmup"]["steps"]
    per_epoch = len(keep) // size
    total = per_epoch * config["epochs"]
    for epoch in range(config["epochs"]):
        order, losses, began = keep[torch.randperm(len(keep))], 0, time.time()
        for i in range(per_epoch):
            step = epoch * per_epoch + i
            for group in optimiser.param_groups:
                group["lr"] = top * step / warm if step < warm else top / 2 * (1 + math.cos(math.pi * step / total))
            at = order[i * size:(i + 1) * size]
            optimiser.zero_grad()
            loss = loss_of(model.train(), images(at), labels[at], at)
            loss.backward()
            nn.utils.clip_grad_norm_([p for _, p in trained], config["clipNorm"])
            optimiser.step()
            losses += loss.item()
        print(f"epoch {epoch + 1}: trained with loss {losses / per_epoch:.4f}, {time.time() - began:.0f} s", file=sys.stderr, flush=True)


class Images:
    """The pictures of an IDX file, normalised when asked for."""

    def __init__(self, path, mean, std):
        self.pixels, self.mean, self.std = idx(path), mean[0], std[0]

    def __len__(self):
        return len(self.pixels)

    def __call__(self, at):
        return ((self.pixels[at].float() / 255 - self.mean) / self.std)[:, None]


def idx(path):
    with gzip.open(path) as file:
        axes = struct.unpack("BBBB", file.read(4))[3]
        shape = struct.unpack(f">{axes}I", file.read(4 * axes))
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8).reshape(shape)


def load(model, path, partial=False):
    """Weights of a file of ours, which also holds the state of training where it is a checkpoint."""
    told = model.load_state_dict({name: value for name, value in load_file(path).items() if not name.startswith("@")}, strict=not partial)
    if partial:
        print(f"{path}: {len(told.missing_keys)} new, {len(told.unexpected_keys)} unused", file=sys.stderr)
    return model


def opened(teacher, *known):
    """A teacher with its weights: those that are named, or those that come with the recipe."""
    return load(build(only(teacher, *known)["model"]), teacher.get("weights", ROOT / f"recipes/weights/{teacher['model']}.safetensors"))


def said(model, images, size=500):
    """What a classifier says of all images."""
    with torch.no_grad():
        return torch.cat([model.eval()(images(slice(i, i + size))) for i in range(0, len(images), size)])


def judged(model, images, labels):
    """The share of images that are right, with Wilson's interval; of an autoencoder its loss, under noise that is always the same."""
    n, z = len(images), 1.959964
    if isinstance(model, Mae):
        noise = torch.rand(n, model.pos_embed.shape[1] - 1, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            loss = sum(model.eval()(images(slice(i, i + 500)), noise[i:i + 500])["loss"].item() * len(noise[i:i + 500]) for i in range(0, n, 500)) / n
        return {"loss": loss}, f"loss {loss:.4f} on {n:,} held-out images"
    share = (said(model, images).argmax(1) == labels).sum().item() / n
    middle, half = (share + z * z / (2 * n)) / (1 + z * z / n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return {"right": share, "from": middle - half, "to": middle + half}, f"{100 * share:.2f} % of {n:,} held-out images (95 %: {100 * (middle - half):.2f} to {100 * (middle + half):.2f})"


def read(path):
    """A configuration all of which is known here."""
    config = only(json.loads(path.read_text()), "source", "model", "data", "epochs", "batchSize", "optimiser", "schedule", "warmup", "clipNorm", "weights", "objective", "seed")
    data = only(config["data"], "kind", "images", "labels", "classes", "validation", "mean", "std", "crop")
    only(config["optimiser"]["config"], "weightDecay"), only(config["schedule"]["config"], "rate"), only(config["warmup"], "steps"), only(config.get("weights", {}), "file", "partial")
    if (data["kind"], data.get("crop", 1), config["optimiser"]["name"], config["schedule"]["name"]) != ("idx", 1, "adamw", "cosine"):
        sys.exit("twin: only whole images of IDX files, adamw and cosine are known here")
    return config


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("seeds", type=int, nargs="*")
    parser.add_argument("--check", metavar="WEIGHTS", help="judges these weights")
    parser.add_argument("--weights", help="begins with these in place of those that the configuration names")
    parser.add_argument("--theirs", action="store_true", help="begins with weights that timm draws")
    parser.add_argument("--save", metavar="FILE", help="writes the weights of the last seed")
    parser.add_argument("--json", metavar="FILE", help="appends a line for each seed")
    args = parser.parse_args()
    torch.set_num_threads(1)
    config = read(args.config)
    data, aim = config["data"], config.get("objective", {})
    normalised = aim.get("config", {}).get("normalisePixels", False)
    # Unless it is said, images are normalised as the recipes on Fashion-MNIST have it.
    moments, folder = (data.get("mean", [0.286]), data.get("std", [0.353])), Path(data["images"]).parent
    held_out = Images(folder / "t10k-images-idx3-ubyte.gz", *moments), idx(folder / "t10k-labels-idx1-ubyte.gz").long()
    if args.check:
        print(f"{args.check}: {judged(load(build(config['model'], normalised), args.check), *held_out)[1]}")
    images, labels = Images(data["images"], *moments), idx(data["labels"]).long()
    loss_of = lesson(aim, images) if args.seeds else None
    for seed in args.seeds:
        torch.manual_seed(seed)
        model = build(config["model"], normalised)
        if args.theirs and isinstance(model, (Mae, DynamicVit)):
            sys.exit("twin: timm has no such model, whose weights it could draw")
        model = model if args.theirs else begin(model)
        if "weights" in config:
            load(model, args.weights or args.config.parent / config["weights"]["file"], config["weights"].get("partial", False))
        began = time.time()
        train(model, config, images, labels, loss_of)
        seconds = (time.time() - began) / config["epochs"]
        numbers, words = judged(model, *held_out)
        print(f"seed {seed}: {words}, {seconds:.0f} s an epoch", flush=True)
        if args.save:
            save_file(model.state_dict(), args.save)
        if args.json:
            with open(args.json, "a") as file:
                file.write(json.dumps({"model": config["model"], "seed": seed, **numbers, "secondsPerEpoch": seconds, "begins": "timm's" if args.theirs else "ours", "torch": torch.__version__, "timm": timm.__version__}) + "\n")
