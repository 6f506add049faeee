"""Specs, exported and imported again without the metadata: whether the network is the same.

    python tests/onnx/round_trip.py target/release/cnnc specs/*.cnn

needs the package onnx. The same is what has the same hash of its normal form (`cnnc check --hash`).
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import onnx


def told(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[1]}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def normal(cnnc, spec):
    return told(cnnc, "check", "--hash", spec).strip().rsplit(": ", 1)[-1]


def same(cnnc, importer, spec, folder):
    exported, bare, again = (folder / name for name in ("net.onnx", "bare.onnx", "again.cnn"))
    told(cnnc, "export", spec, "--weights", "synthetic", "-o", exported)
    model = onnx.load(exported)
    del model.metadata_props[:]
    onnx.save(model, bare)
    told(importer, "import", bare, "-o", again)
    return normal(cnnc, spec) == normal(cnnc, again), len(again.read_text().splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cnnc", help="the program")
    parser.add_argument("specs", nargs="+")
    parser.add_argument("--importer", help="another program that imports")
    args = parser.parse_args()
    alike = 0
    for spec in args.specs:
        with tempfile.TemporaryDirectory() as folder:
            try:
                equal, lines = same(args.cnnc, args.importer or args.cnnc, spec, pathlib.Path(folder))
            except RuntimeError as error:
                print(f"{spec}: {error}", flush=True)
                continue
        alike += equal
        print(f"{spec}: {'the same' if equal else 'ANOTHER network'}, {lines} lines", flush=True)
    print(f"{alike} of {len(args.specs)} are the same")
    sys.exit(alike < len(args.specs))


if __name__ == "__main__":
    main()
