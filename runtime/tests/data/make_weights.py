#!/usr/bin/env python3
"""Makes the small weights files beside it, with Python's own pickle and zip and with numpy.

    python make_weights.py          (needs numpy)

The PyTorch files are written without PyTorch: its `torch.save` is Python's pickler, at protocol 2 if nobody asks for another, with a
`persistent_id` for storages and a few reduce functions, which are imitated here under their real names
(torch/serialization.py, torch/_tensor.py, torch/_utils.py).
"""
import argparse, collections, datetime, functools, io, pathlib, pickle, struct, sys, types, zipfile
from collections import OrderedDict
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent

# ---- what pickle sees of PyTorch ------------------------------------------------------------------------

def module(name):
    sys.modules[name] = types.ModuleType(name)
    return sys.modules[name]

torch, utils, tensors, storages, training = map(module, ["torch", "torch._utils", "torch._tensor", "torch.storage", "training"])

def named(where, name, thing):
    thing.__module__, thing.__qualname__, thing.__name__ = where.__name__, name, name
    setattr(where, name, thing)
    return thing

def function(where, name):
    return named(where, name, lambda *a: None)

STORAGES = {kind: named(torch, name, type(name, (), {})) for kind, name in [
    ("<f4", "FloatStorage"), ("<f2", "HalfStorage"), ("<f8", "DoubleStorage"), ("<i8", "LongStorage"),
    ("bf16", "BFloat16Storage"), ("<c16", "ComplexDoubleStorage")]}
STORAGES["untyped"] = named(storages, "UntypedStorage", type("UntypedStorage", (), {}))
rebuild_tensor, rebuild_tensor_3, rebuild_parameter, rebuild_parameter_with_state, rebuild_sparse = (function(utils, name) for name in [
    "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter", "_rebuild_parameter_with_state", "_rebuild_sparse_tensor"])
rebuild_from_type = function(tensors, "_rebuild_from_type_v2")

class Global:
    """Something that pickle names, and that is no function: `torch.float32`."""
    def __init__(self, name):
        self.name = name
        setattr(torch, name, self)
    def __reduce_ex__(self, protocol):
        return self.name
    __module__ = "torch"

FLOAT32 = Global("float32")
FLOAT32.__module__ = "torch"

class Storage:
    def __init__(self, kind, values):
        self.kind, self.len = kind, len(values)
        if kind == "bf16":
            self.bytes = b"".join(struct.pack("<f", v)[2:] for v in values)
        elif kind == "untyped":
            self.bytes = np.array(values, "<f4").tobytes()
            self.len = len(self.bytes)
        else:
            self.bytes = np.array(values, kind).tobytes()

class Reduced:
    """What pickle is told to call, with which arguments."""
    def __init__(self, function, *arguments):
        self.reduced = function, arguments
    def __reduce_ex__(self, protocol):
        return self.reduced

def view(storage, shape, strides=None, offset=0):
    if strides is None:
        strides, run = [], 1
        for extent in reversed(shape):
            strides.insert(0, run)
            run *= extent
    return storage, offset, tuple(shape), tuple(strides), False, OrderedDict()

def tensor(*view_of):
    return Reduced(rebuild_tensor, *view(*view_of))

def parameter(tensor):
    return Reduced(rebuild_parameter, tensor, True, OrderedDict())

# ---- torch.save, both formats ---------------------------------------------------------------------------

def pickled(thing, legacy, protocol):
    storages = {}
    class Pickler(pickle.Pickler):
        def persistent_id(self, obj):
            if not isinstance(obj, Storage):
                return None
            key = storages.setdefault(id(obj), (str(94 + len(storages)) if legacy else str(len(storages)), obj))[0]
            view = (None,) if legacy else ()
            return ("storage", STORAGES[obj.kind], key, "cpu", obj.len, *view)
    out = io.BytesIO()
    Pickler(out, protocol).dump(thing)
    return out.getvalue(), dict(storages.values())

def save_zip(name, thing, protocol=2):
    data, storages = pickled(thing, False, protocol)
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

def save_legacy(name, thing, protocol=2):
    data, storages = pickled(thing, True, protocol)
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with open(HERE / name, "wb") as out:
        for head in (0x1950A86A20F9469CFC6C, 1001, system):
            out.write(pickle.dumps(head, protocol))
        out.write(data)
        out.write(pickle.dumps(sorted(storages), protocol))
        for key in sorted(storages):
            width = 1 if storages[key].kind == "untyped" else len(storages[key].bytes) // storages[key].len
            out.write(struct.pack("<q", len(storages[key].bytes) // width) + storages[key].bytes)

def state_dict(prefix="", of=OrderedDict):
    shared = Storage("<f4", range(24))
    state = of()
    state["conv.weight"] = tensor(shared, (2, 1, 2, 3))
    state["conv.bias"] = parameter(tensor(shared, (2,), None, 22))
    state["fc.weight"] = tensor(shared, (3, 2), (1, 3), 6)          # a transposed view
    state["bn.running_mean"] = tensor(Storage("<f2", [0.5, -1.5]), (2,))
    state["bn.running_var"] = tensor(Storage("bf16", [1.0, 0.25]), (2,))
    state["bn.weight"] = tensor(Storage("<f8", [2.0, 1e300]), (2,))
    state["bn.num_batches_tracked"] = tensor(Storage("<i8", [7]), ())
    state = of((prefix + name, tensor) for name, tensor in state.items())
    state._metadata = OrderedDict([("", {"version": 1}), ("bn", {"version": 2})])
    return state

def checkpoint():
    step = tensor(Storage("<f4", [9.0, 9.0]), (2,))
    return {"epoch": 3, "best": 0.75, "arch": "net", "done": False, "nothing": None,
            "state_dict": state_dict("module."),
            "optimizer": {"state": {0: {"momentum": step}}, "param_groups": [{"lr": 0.1, "params": [0, 1]}]},
            "shape": (2 ** 70, -2 ** 40, -5, "grüße")}

# ---- what else training scripts put into their checkpoints ----------------------------------------------

State = named(training, "State", type("State", (OrderedDict,), {}))
Config = named(training, "Config", type("Config", (dict,), {}))
Subclass = named(training, "Subclass", type("Subclass", (), {}))
schedule = function(training, "schedule")

class Options:
    def __init__(self, lr):
        self.lr = lr
    def __getnewargs_ex__(self):
        return (), {"lr": self.lr}
    def __new__(cls, lr=0):
        return object.__new__(cls)
named(training, "Options", Options)

def objects():
    state = state_dict(of=State)
    numbers = Storage("<f4", range(12))
    state["conv.weight"] = Reduced(rebuild_from_type, rebuild_tensor, Subclass, view(numbers, (2, 1, 2, 3)), {"note": 1})
    state["conv.bias"] = Reduced(rebuild_parameter_with_state, tensor(Storage("<f4", [22.0, 23.0]), (2,)), True, OrderedDict(), {"note": 1})
    state["fc.weight"] = Reduced(rebuild_tensor_3, *view(Storage("untyped", [0, 6, 7, 8, 9, 10, 11]), (3, 2), (1, 3), 1), FLOAT32)
    state["spectrum"] = tensor(Storage("<c16", [1j, 2.0]), (2,))
    state["sparse"] = Reduced(rebuild_sparse, "coo", (tensor(numbers, (1, 2)),))
    metric = tensor(Storage("<f4", [76.5]), ())
    return {
        "epoch": np.int64(3), "best": np.float64(0.5), "best_acc1": metric, "history": np.arange(3.0), "names": np.array(["a", "b"]),
        "args": argparse.Namespace(lr=0.1, name="net"), "seen": {1, 2}, "frozen": frozenset([3]), "log": collections.defaultdict(list, a=[1]),
        "counts": collections.Counter("abc"), "recent": collections.deque([1]), "config": Config(a=1), "options": Options(0.1),
        "when": datetime.datetime(2020, 1, 1), "where": pathlib.PurePosixPath("/a/b"), "schedule": schedule, "partial": functools.partial(schedule, 1),
        "kind": Options, "complex": 1 + 2j, "bytes": b"\0\xff", "buffer": bytearray(b"abc"), "half": "\ud800", "large": 2 ** 3000, "rest": ...,
        "model": state,
    }

save_zip("torch.pt", state_dict())
save_zip("torch_checkpoint.pt", checkpoint())
save_legacy("torch_legacy.pt", state_dict())
save_zip("torch_objects.pt", objects())
save_zip("torch_objects_5.pt", objects(), 5)
save_legacy("torch_legacy_objects_4.pt", objects(), 4)

arrays = {
    "conv.weight": np.arange(12, dtype="<f4").reshape(2, 1, 2, 3),
    "fc.weight": np.asfortranarray(np.arange(6, dtype="<f4").reshape(3, 2)),
    "bn.running_mean": np.array([0.5, -1.5], "<f2"),
    "bn.weight": np.array([2.0, 1e300], "<f8"),
}
np.savez(HERE / "stored.npz", **arrays)
# What no network reads stands beside it.
others = {"names": np.array(["a", "bc"]), "objects": np.array([None], object), "spectrum": np.array([1j]), "when": np.array(["2020-01-01"], "M8[D]")}
np.savez_compressed(HERE / "deflated.npz", **arrays, **others)
