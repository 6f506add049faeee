#!/usr/bin/env python3
"""Seconds of a training step: this project's against PyTorch's, on the CPU, in turns.

    pip install torch numpy
    python tests/training/torch_speed.py --cnnc target/release/cnnc --mnist DIR --cifar DIR [--threads 1] [--rounds 5]

PyTorch is eager, in its own layout and channels last; the faster counts. A step is forward, loss, backward and the optimiser (sgd, momentum,
Nesterov, decay) on one batch of 64; the least of all rounds is compared, for both alike.
"""

import argparse
import json
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


def peer(make, shape, channels_last):
    """A function that takes a step, and says how long it took."""
    torch.manual_seed(0)
    net, x, t = make(), torch.randn(64, *shape), torch.randint(10, (64,))
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def step():
        start = time.perf_counter()
        optimizer.zero_grad()
        F.cross_entropy(net(x), t).backward()
        optimizer.step()
        return time.perf_counter() - start

    return step


def ours(cnnc, spec, data, threads):
    command = [cnnc, "train", spec, "--data", data, "--dry", "--json", "--batch", "64", "--threads", str(threads)]
    return json.loads(subprocess.check_output(command))["seconds_per_step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cnnc", required=True)
    parser.add_argument("--mnist", required=True)
    parser.add_argument("--cifar", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    print(f"torch {torch.__version__}, {args.threads} threads; ms a step of 64 samples")
    for name, make, shape, data in [
        ("lenet5", lenet5, (1, 28, 28), args.mnist),
        ("resnet20_cifar10", resnet20, (3, 32, 32), args.cifar),
    ]:
        peers = [peer(make, shape, last) for last in (False, True)]
        for step in peers:
            for _ in range(3):
                step()
        theirs, own = float("inf"), float("inf")
        for _ in range(args.rounds):
            own = min(own, ours(args.cnnc, f"specs/{name}.cnn", data, args.threads))
            theirs = min([theirs] + [step() for step in peers for _ in range(10)])
        print(f"{name:<18} ours {1e3 * own:8.2f}   torch {1e3 * theirs:8.2f}   torch / ours {theirs / own:5.2f}")


if __name__ == "__main__":
    main()
