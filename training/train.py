"""Trains the street detector on frames of the simulator.

    python3 train.py TRAIN_STEM VALIDATION_STEM OUT.pt [--steps N]

The same every time. Two thirds of the steps keep the full rate and show frames of all sorts of cameras; in the last
third the rate falls to nothing and the frames are nearly as the simulator gives them. The first --widen steps train a
narrower network, which is quicker. A run that was cut goes on from OUT.pt when it is started again; while it is in its
first part, --steps may be changed, with the same result as if it had been so from the start.
"""
import argparse
import copy
import math
import os
import time

import torch

from data import Batches
from evaluate import evaluate
from loss import loss
from model import CLASSES, NARROW, StreetDetector, widen

parser = argparse.ArgumentParser()
parser.add_argument("train")
parser.add_argument("validation")
parser.add_argument("out")
parser.add_argument("--steps", type=int, default=45000)
parser.add_argument("--widen", type=int, default=10500, help="step from which on the network has its full width")
parser.add_argument("--batch", type=int, default=16)
parser.add_argument("--rate", type=float, default=3e-3)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--every", type=float, default=10, help="minutes between two looks at the validation frames")
args = parser.parse_args()

torch.manual_seed(args.seed)
torch.set_num_threads(1)


def prepare(network):
    """The network, the moving average of its weights (this is what ships), the optimiser."""
    network = network.to(memory_format=torch.channels_last)
    decayed = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0}]
    return network, copy.deepcopy(network).eval(), torch.optim.AdamW(groups, lr=args.rate)


step = 0
state = torch.load(args.out, map_location="cpu") if os.path.exists(args.out) else None
if state:
    step = state["step"]
    print(f"goes on at step {step}", flush=True)
wide = state is not None and state["wide"]
model, mean, optimizer = prepare(StreetDetector() if wide else StreetDetector(NARROW))
if state:
    for part, kept in ((model, "model"), (mean, "ema"), (optimizer, "optimizer")):
        part.load_state_dict(state[kept])
settling = args.steps * 2 // 3  # from this step on
batches = iter(torch.utils.data.DataLoader(Batches(args.train, args.batch, args.seed, step, settling),
                                           batch_size=None, num_workers=1, prefetch_factor=6))


def save():
    state = {"model": model.state_dict(), "ema": mean.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
             "wide": wide}
    torch.save(state, args.out + ".part")
    os.replace(args.out + ".part", args.out)


def look():
    total, results = evaluate(mean, args.validation, 4)
    print("  AP50 %.3f  " % total + "  ".join(f"{c} {ap:.3f}" for c, (ap, _) in zip(CLASSES, results)), flush=True)


began = looked = time.time()
sums = [0.0, 0.0]
while step < args.steps:
    if step >= args.widen and not wide:
        torch.manual_seed(args.seed)
        model, mean, optimizer = prepare(widen(model))
        wide = True
    started = step - args.widen if wide else step  # the rate rises again with a new optimiser
    settled = max(0, step - settling) / (args.steps - settling)
    rate = args.rate * min(1, (started + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * settled)))
    for group in optimizer.param_groups:
        group["lr"] = rate
    images, targets = next(batches)
    targets = targets[:, :int((targets[..., 4] >= 0).sum(1).max().clamp(min=1))]
    x = images.permute(0, 3, 1, 2).float().div_(255)
    with torch.autocast("cpu", torch.bfloat16):
        raw, centres, strides = model(x)
    # First what is there, then where exactly: small boxes are missed by a pixel.
    box_weight = 2 if step < settling else 5
    value, score_part, box_part = loss(raw, centres, strides, targets, box_weight)
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 5)
    optimizer.step()
    step += 1
    with torch.no_grad():
        decay = min(0.998, (started + 1) / (started + 21))
        for kept, now in zip(mean.state_dict().values(), model.state_dict().values()):
            kept.lerp_(now, 1 - decay) if kept.is_floating_point() else kept.copy_(now)
    sums[0] += score_part
    sums[1] += box_part
    if step % 100 == 0:
        print(f"{step} {time.time() - began:.0f}s rate {rate:.5f} scores {sums[0] / 100:.3f} boxes {sums[1] / 100:.3f}",
              flush=True)
        sums = [0.0, 0.0]
    if step % 500 == 0:
        save()
    if time.time() - looked > 60 * args.every:
        look()
        looked = time.time()
save()
look()
