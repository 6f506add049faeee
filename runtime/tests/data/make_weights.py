#!/usr/bin/env python3
"""Makes the small weights files beside it, with Python's own pickle and zip and with numpy.

    python make_weights.py          (needs numpy)

The PyTorch files are written without PyTorch: its `torch.save` is Python's pickler at protocol 2 with a
`persistent_id` for storages and four reduce functions, which are imitated here under their real names
(torch/serialization.py, torch/_tensor.py, torch/_utils.py).
"""
import io, pathlib, pickle, struct, sys, types, zipfile
from collections import OrderedDict
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent

# ---- what pickle sees of PyTorch ------------------------------------------------------------------------

def module(name):
    sys.modules[name] = types.ModuleType(name)
    return sys.modules[name]

torch, utils = module("torch"), module("torch._utils")

def named(where, name, thing):
    thing.__module__, thing.__qualname__, thing.__name__ = where.__name__, name, name
    setattr(where, name, thing)
    return thing

STORAGES = {kind: named(torch, name, type(name, (), {})) for kind, name in [
    ("<f4", "FloatStorage"), ("<f2", "HalfStorage"), ("<f8", "DoubleStorage"), ("<i8", "LongStorage"),
    ("bf16", "BFloat16Storage")]}
rebuild_tensor = named(utils, "_rebuild_tensor_v2", lambda *a: None)
rebuild_parameter = named(utils, "_rebuild_parameter", lambda *a: None)

class Storage:
    def __init__(self, kind, values):
        self.kind, self.len = kind, len(values)
        if kind == "bf16":
            self.bytes = b"".join(struct.pack("<f", v)[2:] for v in values)
        else:
            self.bytes = np.array(values, kind).tobytes()

class Tensor:
    def __init__(self, storage, shape, strides=None, offset=0):
        if strides is None:
            strides, run = [], 1
            for extent in reversed(shape):
                strides.insert(0, run)
                run *= extent
        self.args = (storage, offset, tuple(shape), tuple(strides), False, OrderedDict())
    def __reduce_ex__(self, protocol):
        return rebuild_tensor, self.args

class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor
    def __reduce_ex__(self, protocol):
        return rebuild_parameter, (self.tensor, True, OrderedDict())

# ---- torch.save, both formats ---------------------------------------------------------------------------

def pickled(thing, legacy):
    storages = {}
    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            if not isinstance(obj, Storage):
                return None
            key = storages.setdefault(id(obj), (str(94 + len(storages)) if legacy else str(len(storages)), obj))[0]
            view = (None,) if legacy else ()
            return ("storage", STORAGES[obj.kind], key, "cpu", obj.len, *view)
    out = io.BytesIO()
    Pickler(out, 2).dump(thing)
    return out.getvalue(), dict(storages.values())

def save_zip(name, thing):
    data, storages = pickled(thing, False)
    members = [("data.pkl", data), ("byteorder", b"little")]
    members += [(f"data/{key}", storage.bytes) for key, storage in storages.items()]
    members += [("version", b"3\n"), (".data/serialization_id", b"0" * 40)]
    with zipfile.ZipFile(HERE / name, "w") as out:
        for member, data in members:
            info = zipfile.ZipInfo(f"{name.split('.')[0]}/{member}", (1980, 1, 1, 0, 0, 0))
            # PyTorch pads with an extra field until the data is aligned.
            pad = -(out.fp.tell() + 30 + len(info.filename) + 4) % 64
            info.extra = b"FB" + struct.pack("<H", pad) + b"Z" * pad
            out.writestr(info, data)

def save_legacy(name, thing):
    data, storages = pickled(thing, True)
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with open(HERE / name, "wb") as out:
        for head in (0x1950A86A20F9469CFC6C, 1001, system):
            out.write(pickle.dumps(head, 2))
        out.write(data)
        out.write(pickle.dumps(sorted(storages), 2))
        for key in sorted(storages):
            out.write(struct.pack("<q", storages[key].len) + storages[key].bytes)

def state_dict(prefix=""):
    shared = Storage("<f4", range(24))
    state = OrderedDict()
    state["conv.weight"] = Tensor(shared, (2, 1, 2, 3))
    state["conv.bias"] = Parameter(Tensor(shared, (2,), offset=22))
    state["fc.weight"] = Tensor(shared, (3, 2), (1, 3), 6)          # a transposed view
    state["bn.running_mean"] = Tensor(Storage("<f2", [0.5, -1.5]), (2,))
    state["bn.running_var"] = Tensor(Storage("bf16", [1.0, 0.25]), (2,))
    state["bn.weight"] = Tensor(Storage("<f8", [2.0, 1e300]), (2,))
    state["bn.num_batches_tracked"] = Tensor(Storage("<i8", [7]), ())
    state = OrderedDict((prefix + name, tensor) for name, tensor in state.items())
    state._metadata = OrderedDict([("", {"version": 1}), ("bn", {"version": 2})])
    return state

def checkpoint():
    step = Tensor(Storage("<f4", [9.0, 9.0]), (2,))
    return {"epoch": 3, "best": 0.75, "arch": "net", "done": False, "nothing": None,
            "state_dict": state_dict("module."),
            "optimizer": {"state": {0: {"momentum": step}}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]},
            "shape": (2 ** 70, -2 ** 40, -5, "grüße")}

save_zip("torch.pt", state_dict())
save_zip("torch_checkpoint.pt", checkpoint())
save_legacy("torch_legacy.pt", state_dict())

arrays = {
    "conv.weight": np.arange(12, dtype="<f4").reshape(2, 1, 2, 3),
    "fc.weight": np.asfortranarray(np.arange(6, dtype="<f4").reshape(3, 2)),
    "bn.running_mean": np.array([0.5, -1.5], "<f2"),
    "bn.weight": np.array([2.0, 1e300], "<f8"),
}
np.savez(HERE / "stored.npz", **arrays)
np.savez_compressed(HERE / "deflated.npz", **arrays)
