"""Exported networks, as ONNX's checker and ONNX Runtime see them, beside `cnnc run --exact`.

    python tests/onnx/check_export.py target/release/cnnc specs/*.cnn

needs the packages onnx, onnxruntime and numpy. Each spec is exported with synthetic weights, checked (shapes inferred with data
propagated), and run with synthetic inputs, once as one image and once as a batch of two. A difference is the largest of an output's
elements, over 1e-3 of the element and 1e-4 of the output's root mean square (0.01 at least): up to 1 is what goldens allow.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime


def safetensors(path):
    data = pathlib.Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            tensor = np.frombuffer(data[8 + length + start : 8 + length + end], np.float32)
            tensors[name] = tensor.reshape(entry["shape"])
    return tensors


def difference(found, expected):
    rms = max(float(np.sqrt(np.mean(np.square(expected, dtype=np.float64)))), 0.01)
    allowed = 1e-3 * np.abs(expected) + 1e-4 * rms
    return float(np.max(np.abs(found - expected) / allowed)) if expected.size else 0.0


def check(cnnc, spec, folder):
    path = folder / "net.onnx"
    subprocess.run(
        [cnnc, "export", spec, "--weights", "synthetic", "-o", path], check=True, capture_output=True
    )
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=model.ByteSize() < 1 << 30)
    assert model.ir_version == 8 and model.opset_import[0].version == 17
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["cnnc.spec"] == pathlib.Path(spec).read_text()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    # The same inputs for both: drawn here.
    random = np.random.default_rng(7)
    feeds, files = {}, []
    for index, port in enumerate(session.get_inputs()):
        assert isinstance(port.shape[0], str), "the batch is open"
        shape = port.shape[1:]
        if shape[-1] in (4, 5) and len(shape) == 2 and index > 0:
            # Regions: corners in order.
            corners = np.sort(random.uniform(0, 200, (shape[0], 2, 2)), axis=1).reshape(shape[0], 4)
            value = corners if shape[1] == 4 else np.hstack([np.zeros((shape[0], 1)), corners])
            value = value.astype(np.float32)
        else:
            value = random.uniform(-1, 1, shape).astype(np.float32)
        feeds[port.name] = value[None]
        file = folder / f"input{index}.npy"
        np.save(file, value)
        files.append(file)
    raw = folder / "raw.safetensors"
    subprocess.run(
        [cnnc, "run", spec, "--weights", "synthetic", *files, "--raw", raw, "--exact"],
        check=True,
        capture_output=True,
    )
    expected = safetensors(raw)
    names = [port.name for port in session.get_outputs()]
    once = dict(zip(names, session.run(None, feeds)))
    worst = 0.0
    for name, tensor in expected.items():
        assert once[name].shape == (1, *tensor.shape), (name, once[name].shape, tensor.shape)
        worst = max(worst, difference(once[name][0], tensor))
    twice = session.run(None, {name: np.concatenate([value, value]) for name, value in feeds.items()})
    for name, tensor in zip(names, twice):
        assert tensor.shape[0] == 2, (name, tensor.shape)
        worst = max(worst, difference(tensor[1], once[name][0]))
    return worst, len(model.graph.node)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cnnc", help="the program")
    parser.add_argument("specs", nargs="+")
    args = parser.parse_args()
    cnnc = str(pathlib.Path(args.cnnc).resolve())
    worst, failed = 0.0, 0
    for spec in args.specs:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found, nodes = check(cnnc, spec, pathlib.Path(folder))
            except subprocess.CalledProcessError as error:
                print(f"{spec}: {error.stderr.decode().strip()}")
                failed += 1
                continue
            except Exception as error:  # what a checker or a session says
                print(f"{spec}: {type(error).__name__}: {error}")
                failed += 1
                continue
        worst = max(worst, found)
        failed += found > 1
        print(f"{spec}: {nodes} nodes, {found:.3f} of what is allowed", flush=True)
    print(f"{len(args.specs)} specs, {failed} failed, the worst has {worst:.3f} of what is allowed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
