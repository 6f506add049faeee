#!/usr/bin/env python3
"""Networks of specs/ that were written from docs/language.md alone, and the same in PyTorch: do they agree?

    pip install torch numpy
    cargo build --release -p cnnc-cli
    python tests/networks/torch_networks.py [NAME...]

Each network is written here in torch.nn alone, its tensors called as in the published weights. It gets random weights of a fixed
seed, which are saved as a checkpoint, and a random input; `cnnc run` reads both and answers, by default and with `--exact`. PyTorch
computes in f64, so that its answer is the exact one. They agree if no output differs by more than 1e-5 × √depth × the outputs'
standard deviation, where depth is the number of convolutions and dense layers one behind another: the bound of goldens.rs. There
is a row for each network with the largest difference as a share of that; the exit status is 1 if one is beyond it.

    python tests/networks/torch_networks.py --goldens

writes tests/networks/goldens/NAME.json, which `cargo test` reads: answers for weights and inputs that are functions of their names
(runtime/src/synthetic.rs).
"""
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SEED = 20191006
# Values in a golden.
VALUES = 400


# ---- MobileNet v3, small (Howard et al. 2019), as in torchvision --------------------------------------------------

def conv_norm_act(ins, outs, kernel, stride=1, groups=1, act=None):
    layers = [
        nn.Conv2d(ins, outs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outs, eps=1e-3),
    ]
    return nn.Sequential(*layers, *([act()] if act else []))


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        y = F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))
        return x * F.hardsigmoid(self.fc2(y))


class Bneck(nn.Module):
    def __init__(self, ins, kernel, wide, outs, squeezed, act, stride):
        super().__init__()
        layers = [] if wide == ins else [conv_norm_act(ins, wide, 1, act=act)]
        layers.append(conv_norm_act(wide, wide, kernel, stride, wide, act))
        if squeezed:
            layers.append(SqueezeExcitation(wide, squeezed))
        layers.append(conv_norm_act(wide, outs, 1))
        self.block = nn.Sequential(*layers)
        self.residual = stride == 1 and ins == outs

    def forward(self, x):
        return x + self.block(x) if self.residual else self.block(x)


class MobileNetV3Small(nn.Module):
    # Kernel, expansion, width, squeezed channels, activation, stride.
    ROWS = [
        (3, 16, 16, 8, nn.ReLU, 2),
        (3, 72, 24, 0, nn.ReLU, 2),
        (3, 88, 24, 0, nn.ReLU, 1),
        (5, 96, 40, 24, nn.Hardswish, 2),
        (5, 240, 40, 64, nn.Hardswish, 1),
        (5, 240, 40, 64, nn.Hardswish, 1),
        (5, 120, 48, 32, nn.Hardswish, 1),
        (5, 144, 48, 40, nn.Hardswish, 1),
        (5, 288, 96, 72, nn.Hardswish, 2),
        (5, 576, 96, 144, nn.Hardswish, 1),
        (5, 576, 96, 144, nn.Hardswish, 1),
    ]

    def __init__(self):
        super().__init__()
        features, channels = [conv_norm_act(3, 16, 3, 2, act=nn.Hardswish)], 16
        for row in self.ROWS:
            features.append(Bneck(channels, *row))
            channels = row[2]
        features.append(conv_norm_act(channels, 576, 1, act=nn.Hardswish))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Linear(576, 1024), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(1024, 1000))

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))


# ---- A block of ConvNeXt (Liu et al. 2022), as in torchvision -----------------------------------------------------

class Permute(nn.Module):
    def __init__(self, *axes):
        super().__init__()
        self.axes = axes

    def forward(self, x):
        return x.permute(self.axes)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels=96):
        super().__init__()
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1))
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 7, padding=3, groups=channels),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )

    def forward(self, x):
        return x + self.layer_scale * self.block(x)


# ---- Style transfer (Johnson et al. 2016), as in pytorch/examples/fast_neural_style -------------------------------

class ConvLayer(nn.Module):
    def __init__(self, ins, outs, kernel, stride=1):
        super().__init__()
        self.reflection_pad = nn.ReflectionPad2d(kernel // 2)
        self.conv2d = nn.Conv2d(ins, outs, kernel, stride)

    def forward(self, x):
        return self.conv2d(self.reflection_pad(x))


class ResidualBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1, self.in1 = ConvLayer(channels, channels, 3), nn.InstanceNorm2d(channels, affine=True)
        self.conv2, self.in2 = ConvLayer(channels, channels, 3), nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x):
        y = F.relu(self.in1(self.conv1(x)))
        return self.in2(self.conv2(y)) + x


class FastStyle(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.in1 = ConvLayer(3, 32, 9), nn.InstanceNorm2d(32, affine=True)
        self.conv2, self.in2 = ConvLayer(32, 64, 3, 2), nn.InstanceNorm2d(64, affine=True)
        self.conv3, self.in3 = ConvLayer(64, 128, 3, 2), nn.InstanceNorm2d(128, affine=True)
        for block in range(1, 6):
            self.add_module(f"res{block}", ResidualBlock(128))
        self.deconv1, self.in4 = ConvLayer(128, 64, 3), nn.InstanceNorm2d(64, affine=True)
        self.deconv2, self.in5 = ConvLayer(64, 32, 3), nn.InstanceNorm2d(32, affine=True)
        self.deconv3 = ConvLayer(32, 3, 9)

    def forward(self, x):
        y = F.relu(self.in1(self.conv1(x)))
        y = F.relu(self.in2(self.conv2(y)))
        y = F.relu(self.in3(self.conv3(y)))
        for block in range(1, 6):
            y = getattr(self, f"res{block}")(y)
        y = F.relu(self.in4(self.deconv1(F.interpolate(y, scale_factor=2))))
        y = F.relu(self.in5(self.deconv2(F.interpolate(y, scale_factor=2))))
        # There, what is saved as a picture is divided by 255; in the spec, the network does it.
        return self.deconv3(y) / 255


# The network, its input's shape, and the interval of the input's elements.
NETWORKS = {
    "mobilenet_v3_small": (MobileNetV3Small, (3, 224, 224), (-2.0, 2.0)),
    "convnext_block": (ConvNeXtBlock, (96, 56, 56), (-2.0, 2.0)),
    "fast_style": (FastStyle, (3, 256, 256), (0.0, 255.0)),
}


def depth(model):
    """In these networks every convolution and dense layer is behind the one before."""
    return sum(isinstance(module, (nn.Conv2d, nn.Linear)) for module in model.modules())


def exact(model, x):
    with torch.inference_mode():
        return model.double().eval()(x.double()[None])[0].numpy()


def randomize(model):
    """PyTorch's own initialisation, and random numbers where that has zeros and ones."""
    for name, tensor in model.state_dict().items():
        if name.endswith(("running_var", "layer_scale")) or (tensor.ndim == 1 and name.endswith("weight")):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("bias", "running_mean")):
            tensor.uniform_(-0.1, 0.1)


def outputs(path):
    """The first tensor of a .safetensors file: a header in JSON behind its length, then the data."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    raw = json.loads(data[8:8 + size])["raw"]
    begin, end = raw["data_offsets"]
    return np.frombuffer(data[8 + size + begin:8 + size + end], np.float32).reshape(raw["shape"])


def compare(name, cnnc, folder):
    """Shares of what is allowed, by default and with `--exact`."""
    make, shape, (low, high) = NETWORKS[name]
    torch.manual_seed(SEED)
    model = make()
    with torch.no_grad():
        randomize(model)
    x = torch.empty(shape).uniform_(low, high)
    weights, inputs, raw = folder / f"{name}.pt", folder / f"{name}.npy", folder / f"{name}.safetensors"
    torch.save(model.state_dict(), weights)
    np.save(inputs, x.numpy())
    count = sum(parameter.numel() for parameter in model.parameters())
    wanted = exact(model, x)
    shares = []
    for flags in ([], ["--exact"]):
        spec = ROOT / "specs" / f"{name}.cnn"
        command = [cnnc, "run", spec, "--weights", weights, "--strict", *flags, "--raw", raw, inputs]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = outputs(raw)
        if found.size != wanted.size:
            sys.exit(f"{name}: {found.size} outputs, not {wanted.size}")
        worst = np.abs(found.reshape(wanted.shape) - wanted).max()
        shares.append(worst / (1e-5 * math.sqrt(depth(model)) * wanted.std()))
    # A share that is NaN is not, either.
    agree = all(share <= 1 for share in shares)
    numbers = f"{count:>10,} {depth(model):>6} {wanted.std():>10.4g} {shares[0]:>9.4f} {shares[1]:>9.4f}"
    print(f"{name:20} {numbers}  {'agree' if agree else 'DIFFER'}")
    return agree


def uniform(name, shape, low, high):
    """As runtime/src/synthetic.rs has it."""
    seed, mask = 0xCBF29CE484222325, (1 << 64) - 1
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & mask
    count = math.prod(shape)
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    unit = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return torch.from_numpy((low + (high - low) * unit).astype(np.float32).reshape(shape))


def golden(name):
    make, shape, _ = NETWORKS[name]
    model = make()
    state = model.state_dict()
    for key, tensor in state.items():
        if key.endswith(("bias", "running_mean")):
            state[key] = uniform(key, tensor.shape, -0.1, 0.1)
        elif key.endswith("running_var") or tensor.ndim == 1:
            state[key] = uniform(key, tensor.shape, 0.5, 1.5)
        elif tensor.ndim > 1:
            bound = math.sqrt(6 / math.prod(tensor.shape[1:]))
            state[key] = uniform(key, tensor.shape, -bound, bound)
    model.load_state_dict(state)
    modules = []

    def watch(key):
        def hook(_module, _inputs, output):
            modules.append({"module": key, "mean": output.mean().item(), "std": output.std(correction=0).item()})
        return hook

    for key, module in model.named_modules():
        if list(module.parameters(recurse=False)) and not list(module.children()):
            module.register_forward_hook(watch(key))
    y = exact(model, uniform("input", shape, -1.0, 1.0)).flatten()
    indices = np.linspace(0, y.size - 1, VALUES).astype(int)
    return {
        "name": name,
        "inputs": [{"name": "input", "shape": [1, *shape]}],
        "output_shape": [y.size],
        "output_std": y.std(),
        "indices": indices.tolist(),
        "values": y[indices].tolist(),
        "modules": modules,
    }


def main():
    args = sys.argv[1:]
    if args == ["--goldens"]:
        for name in NETWORKS:
            path = HERE / "goldens" / f"{name}.json"
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(golden(name)) + "\n")
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")
        return
    unknown = [name for name in args if name not in NETWORKS]
    if unknown:
        sys.exit(f"no network is called {unknown[0]}: there are {', '.join(NETWORKS)}")
    cnnc = os.environ.get("CNNC", ROOT / "target/release/cnnc")
    print(f"{'network':20} {'parameters':>10} {'depth':>6} {'deviation':>10} {'default':>9} {'--exact':>9}  of what is allowed")
    with tempfile.TemporaryDirectory() as folder:
        agree = [compare(name, cnnc, pathlib.Path(folder)) for name in args or NETWORKS]
    sys.exit(not all(agree))


if __name__ == "__main__":
    main()
