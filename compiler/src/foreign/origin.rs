//! Whose a name is: the framework that an import, a path or a call tells.

use super::call::Call;
use crate::frameworks::{Framework, layers};

/// Modules that a path may begin with, and whose they are if that says what a name means.
const MODULES: &[(&str, Option<Framework>)] = &[
    ("nn", Some(Framework::PyTorch)),
    ("torch", Some(Framework::PyTorch)),
    ("torchvision", Some(Framework::PyTorch)),
    ("F", Some(Framework::PyTorch)),
    ("tf", Some(Framework::Keras)),
    ("keras", Some(Framework::Keras)),
    ("layers", Some(Framework::Keras)),
    ("models", Some(Framework::Keras)),
    ("tensorflow", Some(Framework::Keras)),
    ("onnx", None),
];

/// The module that a path begins with.
pub(super) fn module(path: &str) -> Option<&'static (&'static str, Option<Framework>)> {
    let (first, _) = path.split_once('.')?;
    MODULES.iter().find(|(name, _)| *name == first)
}

/// Whether it is the name of a module.
pub(super) fn is_module(name: &str) -> bool {
    MODULES.iter().any(|(module, _)| *module == name)
}

/// Whose modules a line imports: `from tensorflow.keras.layers import Conv2D`, `import torch`.
pub(super) fn imported(line: &str) -> Option<Framework> {
    let (_, path) = ["from ", "import "]
        .iter()
        .find_map(|word| Some((word, line.trim_start().strip_prefix(word)?)))?;
    let first = path.split(['.', ' ', ',']).next()?;
    MODULES.iter().find(|(name, _)| *name == first)?.1
}

/// Names that PyTorch's modules and Keras's layers share.
const SHARED: &[&str] = &[
    "Sequential",
    "Flatten",
    "Dropout",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "Identity",
    "MultiHeadAttention",
    "LSTM",
    "GRU",
    "Embedding",
];

/// Arguments that only Keras has.
const KERAS: &[&str] = &[
    "filters",
    "units",
    "strides",
    "pool_size",
    "activation",
    "max_value",
];

/// The framework that writes the name so.
pub(super) fn framework(call: &Call<'_>) -> Option<Framework> {
    if let Some((_, Some(framework))) = module(call.path) {
        return Some(*framework);
    }
    let named = |name: &str| call.args.iter().any(|(own, _)| *own == Some(name));
    if KERAS.iter().any(|name| named(name)) && !named("inplace") {
        return Some(Framework::Keras);
    }
    if SHARED.contains(&call.name()) {
        return None;
    }
    let rows = layers(call.name()).iter();
    let mut rows = rows.filter(|row| row.names().any(|name| name == call.name()));
    rows.find_map(|row| match row.framework {
        framework @ (Framework::PyTorch | Framework::Keras) => Some(framework),
        _ => None,
    })
}
