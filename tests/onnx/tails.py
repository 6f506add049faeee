"""Small detectors with the tails that exporters write, and what ONNX Runtime makes of them: the files of tests/onnx/tails.

    python tests/onnx/tails.py tests/onnx/tails

needs the packages onnx, onnxruntime and numpy. The picture is of numbers `((37 i) mod 101) / 101`. Beside the outputs (NAME_K.npy) are the boxes that
ultralytics' thresholds and a suppression class by class leave, in pixels of the picture: `[class, score, left, top, right, bottom]`.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WIDTH, HEIGHT = 64, 32
STRIDES = (8, 16)
NAMES = ["cat", "traffic light"]
random = np.random.default_rng(8)


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values, kind=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, op, *inputs, outputs=1, **attributes):
        names = [f"n{len(self.nodes)}_{at}" for at in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, channels, out, kernel=1, spread=1.0, bias=None):
        weight = self.constant(random.normal(0, spread / (channels * kernel), (out, channels, kernel, kernel)))
        bias = self.constant(random.normal(0, 1, out) if bias is None else bias)
        return self.add("Conv", x, weight, bias, kernel_shape=[kernel] * 2, strides=[kernel] * 2)

    def features(self):
        first = self.add("Relu", self.conv("images", 3, 8, 8, 12))
        return [first, self.add("Relu", self.conv(first, 8, 8, 2, 6))]

    def write(self, path, outputs, metadata):
        inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])]
        info = lambda name, rank: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1] + [None] * (rank - 1))
        infos = [info(name, 5 if at else 3) for at, name in enumerate(outputs)]
        graph = helper.make_graph(self.nodes, "net", inputs, infos, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())


def grid(stride):
    """Columns and rows of cells."""
    return np.meshgrid(np.arange(WIDTH // stride), np.arange(HEIGHT // stride))


def distances(path, bins, fraction, metadata, more=0, turned=False):
    """YOLOv8's: all maps behind one another, distances by a softmax and a convolution with 0, 1, …

    With so many numbers `more` for each box, of maps of their own, as masks have them; `turned`, a row for each box.
    """
    g, classes = Graph(), len(NAMES)
    flat, anchors, strides, others = [], [], [], []
    shape = g.constant([1, 4 * bins + classes, -1], np.int64)
    for x, stride in zip(g.features(), STRIDES):
        box = g.conv(x, 8, 4 * bins, spread=8)
        score = g.conv(x, 8, classes, spread=3 if more else 12, bias=[-1, -0.5])
        flat.append(g.add("Reshape", g.add("Concat", box, score, axis=1), shape))
        if more:
            others.append(g.add("Reshape", g.conv(x, 8, more), g.constant([1, more, -1], np.int64)))
        anchors.append(np.stack(grid(stride)).reshape(2, -1) + 0.5)
        strides.append(np.full((1, anchors[-1].shape[1]), stride))
    both = g.add("Concat", *flat, axis=2)
    sizes = g.constant([4 * bins, classes], np.int64)
    box, score = g.add("Split", both, sizes, outputs=2, axis=1)
    sides = g.add("Reshape", box, g.constant([1, 4, bins, -1], np.int64))
    sides = g.add("Softmax", g.add("Transpose", sides, perm=[0, 2, 1, 3]), axis=1)
    means = g.constant(np.arange(bins).reshape(1, bins, 1, 1))
    sides = g.add("Reshape", g.add("Conv", sides, means), g.constant([1, 4, -1], np.int64))
    cells = g.constant(np.concatenate(anchors, 1)[None])
    low, high = g.add("Split", sides, g.constant([2, 2], np.int64), outputs=2, axis=1)
    low, high = g.add("Sub", cells, low), g.add("Add", cells, high)
    centre = g.add("Div", g.add("Add", low, high), g.constant(2))
    box = g.add("Concat", centre, g.add("Sub", high, low), axis=1)
    box = g.add("Mul", box, g.constant(np.concatenate(strides, 1)))
    if fraction:
        box = g.add("Div", box, g.constant(np.array([WIDTH, HEIGHT] * 2).reshape(1, 4, 1)))
    table = [box, g.add("Sigmoid", score)] + ([g.add("Concat", *others, axis=2)] if more else [])
    table = g.add("Concat", *table, axis=1)
    g.write(path, [g.add("Transpose", table, perm=[0, 2, 1]) if turned else table], metadata)


def anchored(path, raw):
    """YOLOv5's: each map with three anchors; with the maps themselves as outputs, as older versions have them."""
    g, columns = Graph(), 5 + len(NAMES)
    tables, maps = [], []
    for at, (x, stride) in enumerate(zip(g.features(), STRIDES)):
        rows, across = HEIGHT // stride, WIDTH // stride
        anchors = np.array([[10, 13], [16, 30], [33, 23]]) * (1 + 1.5 * at)
        x = g.conv(x, 8, 3 * columns, spread=1.5)
        x = g.add("Reshape", x, g.constant([1, 3, columns, rows, across], np.int64))
        x = g.add("Transpose", x, perm=[0, 1, 3, 4, 2])
        maps.append(x)
        sizes = g.constant([2, 2, columns - 4], np.int64)
        centre, size, rest = g.add("Split", g.add("Sigmoid", x), sizes, outputs=3, axis=4)
        cells = np.stack(grid(stride), 2)[None, None] - 0.5
        centre = g.add("Add", g.add("Mul", centre, g.constant(2)), g.constant(np.broadcast_to(cells, (1, 3, rows, across, 2))))
        centre = g.add("Mul", centre, g.constant(stride))
        size = g.add("Pow", g.add("Mul", size, g.constant(2)), g.constant(2))
        own = np.broadcast_to(anchors.reshape(1, 3, 1, 1, 2), (1, 3, rows, across, 2))
        table = g.add("Concat", centre, g.add("Mul", size, g.constant(own)), rest, axis=4)
        tables.append(g.add("Reshape", table, g.constant([1, -1, columns], np.int64)))
    g.write(path, [g.add("Concat", *tables, axis=1)] + (maps if raw else []), {})


def boxes(table, iou):
    """`x y w h` and scores, a row each, as what is kept."""
    found = []
    for x, y, w, h, *scores in table.tolist():
        best = int(np.argmax(scores))
        if scores[best] > 0.25:
            found.append((best, scores[best], x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    found.sort(key=lambda box: -box[1])
    kept = []

    def overlap(a, b):
        width, height = min(a[4], b[4]) - max(a[2], b[2]), min(a[5], b[5]) - max(a[3], b[3])
        both = max(width, 0) * max(height, 0)
        area = lambda c: (c[4] - c[2]) * (c[5] - c[3])
        return both / max(area(a) + area(b) - both, 1e-9)

    for box in found:
        if all(other[0] != box[0] or overlap(other, box) <= iou for other in kept):
            kept.append(box)
    clipped = [(c, s, max(l, 0), max(t, 0), min(r, WIDTH), min(b, HEIGHT)) for c, s, l, t, r, b in kept]
    return [box for box in clipped if box[2] < box[4] and box[3] < box[5]]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    said = {"task": "detect", "names": repr(dict(enumerate(NAMES))), "stride": "16", "imgsz": "[32, 64]"}
    distances(folder / "distances.onnx", 8, False, said)
    distances(folder / "fractions.onnx", 4, True, said)
    anchored(folder / "anchors.onnx", False)
    anchored(folder / "anchors_and_maps.onnx", True)
    distances(folder / "rows.onnx", 8, False, said, turned=True)
    distances(folder / "masks.onnx", 8, False, {**said, "task": "segment"}, more=6)
    count = 3 * HEIGHT * WIDTH
    picture = (np.arange(count) * 37 % 101 / np.float32(101)).astype(np.float32).reshape(1, 3, HEIGHT, WIDTH)
    wanted = {}
    for path in sorted(folder.glob("*.onnx")):
        outputs = onnxruntime.InferenceSession(path).run(None, {"images": picture})
        for at, output in enumerate(outputs):
            np.save(folder / f"{path.stem}_{at}.npy", output)
        table = outputs[0][0]
        if path.stem in ("distances", "rows", "masks"):
            table = table if path.stem == "rows" else table.T
            wanted[path.stem] = boxes(table[:, : 4 + len(NAMES)], 0.7)
        elif path.stem.startswith("anchors"):
            table = np.concatenate([table[:, :4], table[:, 4:5] * table[:, 5:]], 1)
            wanted[path.stem] = boxes(table, 0.45)
    rows = lambda found: ",\n  ".join(json.dumps([round(x, 4) for x in box]) for box in found)
    lists = ",\n ".join(f"{json.dumps(name)}: [\n  {rows(found)}\n ]" for name, found in wanted.items())
    (folder / "boxes.json").write_text("{\n " + lists + "\n}\n")
    print({name: len(found) for name, found in wanted.items()})


main()
