#!/usr/bin/env python3
"""Seconds of a training step: this project's against PyTorch's, on the CPU, in turns.

    pip install torch numpy
    python tests/training/torch_speed.py --cnnc target/release/cnnc --mnist DIR --cifar DIR [--threads 1] [--rounds 5] [--compiled] [--only NAME]

PyTorch is eager, in its own layout and channels last, and with --compiled what torch.compile makes of both; the fastest counts. A step is forward,
loss, backward and the optimiser (sgd, momentum, Nesterov, decay) on one batch; the least of all rounds is compared, for both alike.
"""

import argparse
import json
import os
import subprocess
import time

import torch
from torch import nn
from torch.nn import functional as F


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
        nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )


class Block(nn.Module):
    """A basic block with the parameter-free shortcut of He et al., section 4.2."""

    def __init__(self, ins, outs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(ins, outs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outs)
        self.conv2 = nn.Conv2d(outs, outs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outs)
        self.wider, self.stride = (outs - ins) // 2, stride

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride > 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.wider, self.wider))
        return F.relu(y + x)


def resnet20():
    blocks, ins = [], 16
    for outs, stride in [(16, 1), (16, 1), (16, 1), (32, 2), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1)]:
        blocks.append(Block(ins, outs, stride))
        ins = outs
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg_small():
    def conv(ins, outs):
        return [nn.Conv2d(ins, outs, 3, 1, 1, bias=False), nn.BatchNorm2d(outs), nn.ReLU()]

    pool = nn.MaxPool2d(2)
    return nn.Sequential(*conv(3, 16), pool, *conv(16, 32), pool, *conv(32, 64), *conv(64, 64), pool, nn.Flatten(), nn.Linear(1024, 10))


class Projected(nn.Module):
    """A basic block whose shortcut is a convolution where shapes change."""

    def __init__(self, ins, outs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(ins, outs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outs)
        self.conv2 = nn.Conv2d(outs, outs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outs)
        self.shortcut = nn.Identity()
        if ins != outs:
            self.shortcut = nn.Sequential(nn.Conv2d(ins, outs, 1, stride, bias=False), nn.BatchNorm2d(outs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


def resnet18():
    blocks, ins = [], 64
    for outs, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
        blocks.append(Projected(ins, outs, stride))
        ins = outs
    stem = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def peer(make, shape, batch, channels_last, compiled):
    """A function that takes a step, and says how long it took."""
    torch.manual_seed(0)
    net, x, t = make(), torch.randn(batch, *shape), torch.randint(10, (batch,))
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)

    run = torch.compile(net) if compiled else net

    def step():
        start = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(run(x), t).backward()
        optimizer.step()
        return time.perf_counter() - start

    return step


def spec(name):
    """A shipped spec, or one that is here for this only."""
    shipped = f"specs/{name}.cnn"
    return shipped if os.path.exists(shipped) else f"tests/training/{name}.cnn"


def ours(cnnc, spec, data, batch, threads):
    command = [cnnc, "train", spec, "--data", data, "--dry", "--json", "--batch", str(batch), "--threads", str(threads)]
    return json.loads(subprocess.check_output(command))["seconds_per_step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cnnc", required=True)
    parser.add_argument("--mnist", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} threads; ms a step")
    picture = (3, 32, 32)
    for name, make, shape, batch, data in [
        ("lenet5", lenet5, (1, 28, 28), 64, args.mnist),
        ("resnet20_cifar10", resnet20, picture, 64, args.cifar),
        ("vgg_small_cifar10", vgg_small, picture, 64, args.cifar),
        ("resnet18_cifar10", resnet18, picture, 16, args.cifar),
    ]:
        if args.only not in name:
            continue
        kinds = (False, True) if args.compiled else (False,)
        peers = [peer(make, shape, batch, last, kind) for kind in kinds for last in (False, True)]
        for step in peers:
            for _ in range(3):
                step()
        theirs, own = float("inf"), float("inf")
        for _ in range(args.rounds):
            own = min(own, ours(args.cnnc, spec(name), data, batch, args.threads))
            theirs = min([theirs] + [step() for step in peers for _ in range(10)])
        print(f"{name:<18} b{batch} ours {1e3 * own:8.2f}   torch {1e3 * theirs:8.2f}   torch / ours {theirs / own:5.2f}")


if __name__ == "__main__":
    main()
