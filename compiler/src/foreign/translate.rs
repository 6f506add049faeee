//! A layer as Python calls it, as it stands in a chain: `nn.Conv2d(3, 64, 3, padding=1)` is `conv 3x3 64 pad 1`.

use super::call::{Call, Value};
use super::origin::is_module;
use super::params::Given;
use crate::frameworks::{Foreign, Framework, Ours, layer, normal};
use crate::layer::{self, window::show};

/// A call as a chain.
#[derive(Debug)]
pub(crate) struct Chain {
    /// As it stands in a spec; operands of joins are in it.
    pub(crate) text: String,
    /// The tensors that it is called on.
    pub(crate) on: Vec<String>,
}

/// Why a call is no chain, for a note; `None` where there is nothing to say.
pub(crate) type Untold = Option<String>;

/// The call as a chain: `None` if it is no layer here, or has an argument that means nothing here.
///
/// ```
/// use cnnc_compiler::foreign::translate;
/// let here = translate("nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)");
/// assert_eq!(here.as_deref(), Some("conv 7x7 64 /2 pad 3 bias off"));
/// assert_eq!(translate("nn.LSTM(10, 20)"), None);
/// ```
pub fn translate(text: &str) -> Option<String> {
    let (call, rest) = Call::read(text.trim())?;
    match rest.trim() {
        "" | "," => Some(chain(&call, None).ok()?.text),
        _ => None,
    }
}

/// The same of a call whose framework is known.
pub fn translate_on(text: &str, framework: Framework) -> Option<String> {
    let (call, _) = Call::read(text.trim())?;
    Some(chain(&call, Some(framework)).ok()?.text)
}

/// The call that begins the text as a chain, and how long the call is.
pub(crate) fn translate_start(text: &str) -> Option<(Result<Chain, Untold>, usize)> {
    let (call, rest) = Call::read(text)?;
    Some((chain(&call, None), text.len() - rest.len()))
}

/// The call as a chain.
pub(super) fn chain(call: &Call<'_>, framework: Option<Framework>) -> Result<Chain, Untold> {
    if let Some(moved) = reshaped(call).or_else(|| permuted(call)) {
        return Ok(moved);
    }
    // A module of the network's own, whatever its name.
    if call.path.starts_with("self.") {
        return Err(None);
    }
    if let Some(text) = bounded(call) {
        let on = names(&call.on.iter().collect::<Vec<_>>()).ok_or(None)?;
        let on = owned(&on);
        return Ok(Chain { text, on });
    }
    let row = layer(call.path, framework).ok_or(None)?;
    let name = call.name();
    if normal(name) == "activation" {
        let text = match call.args.as_slice() {
            [(_, value)] => activation(value, framework),
            _ => None,
        };
        let on = names(&call.on.iter().collect::<Vec<_>>());
        return match (text, on) {
            (Some(text), Some(on)) => Ok(Chain {
                text,
                on: owned(&on),
            }),
            _ => Err(None),
        };
    }
    let told = |why: String| Err(Some(why));
    let text = match row.ours {
        Ours::Layer(text) => text,
        Ours::Write(text) => return told(format!("`{name}` is no layer here: write {text}")),
        Ours::Nothing(why) => return told(format!("`{name}` is left out: {why}")),
        Ours::Missing(what) => return told(format!("`{name}` is not supported yet: {what}")),
    };
    let keyword = text.split(' ').next().unwrap_or(text);
    let mut given = Given::new(layer::find(keyword).ok_or(None)?, row, name, activation);
    // Functions without parameters are called with their operands: `torch.cat([a, b], dim=1)`.
    let function = row.args().next().is_none();
    let mut positional = row.args();
    let mut operands = Vec::new();
    for (index, (arg, value)) in call.args.iter().enumerate() {
        let done = match arg {
            Some(arg) => given.named(arg, value, framework),
            None if function && index == 1 && given.decl.keyword == "concat" => {
                given.named("dim", value, framework)
            }
            None if function => {
                operands.push(value);
                names(&[value]).map(|_| ())
            }
            // Functions of PyTorch have the operand before their parameters: `F.max_pool2d(x, 2)`.
            None if index == 0 && is_function(call, value) => {
                operands.push(value);
                names(&[value]).map(|_| ())
            }
            None => positional
                .next()
                .and_then(|param| given.give(param, value, framework)),
        };
        if done.is_none() {
            let arg = arg.map_or(String::new(), |arg| format!("{arg}="));
            return told(format!(
                "`{name}` with `{arg}{value}` has no counterpart here"
            ));
        }
    }
    operands.extend(&call.on);
    let tensor = method(call).map(Value::Name);
    operands.extend(&tensor);
    let mut extras = text.split(' ').skip(1);
    while let (Some(name), Some(value)) = (extras.next(), extras.next()) {
        if !given.has(name) {
            given.extra(name, value).ok_or(None)?;
        }
    }
    let names = names(&operands).ok_or(None)?;
    let mut written = given.written().ok_or(None)?;
    if given.decl.operands.1 > 1 && !names.is_empty() {
        written = written.replacen(keyword, &format!("{keyword}({})", names.join(", ")), 1);
    }
    Ok(Chain {
        text: written,
        on: owned(&names),
    })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Whether the call is one of a function whose first argument is that operand: `F.relu(x)`, not `nn.ReLU(True)`.
fn is_function(call: &Call<'_>, operand: &Value<'_>) -> bool {
    let lower = call.name().starts_with(|c: char| c.is_ascii_lowercase());
    let constant = ["True", "False", "None"];
    lower
        && match operand {
            Value::Name(name) => !constant.contains(name),
            Value::Call(_) => true,
            _ => false,
        }
}

/// The tensor whose method is called: `x` of `x.flatten(1)`.
fn method<'t>(call: &Call<'t>) -> Option<&'t str> {
    let (tensor, method) = call.path.split_once('.')?;
    let lower = method.starts_with(|c: char| c.is_ascii_lowercase()) && !method.contains('.');
    (lower && tensor != "self" && !is_module(tensor)).then_some(tensor)
}

/// `x.view(-1, 400)`, `x.reshape(x.size(0), 16, 5, 5)`
fn reshaped(call: &Call<'_>) -> Option<Chain> {
    let tensor = method(call)?;
    if !matches!(call.name(), "view" | "reshape") || !call.on.is_empty() {
        return None;
    }
    let values: Vec<&Value<'_>> = match call.args.as_slice() {
        [(None, Value::List(items))] => items.iter().collect(),
        args => args.iter().map(|(_, value)| value).collect(),
    };
    let (batch, extents) = values.split_first()?;
    // The batch is what the rest leaves, or its own extent.
    if !matches!(
        batch,
        Value::Number("-1" | "1") | Value::Call(_) | Value::Name(_) | Value::Other(_)
    ) {
        return None;
    }
    let text = match extents {
        [_] => "flatten".to_owned(),
        [] => return None,
        extents => {
            let extents = extents.iter().map(|value| match value {
                Value::Number(number) => number.parse().ok(),
                _ => None,
            });
            format!(
                "reshape {}",
                show(&extents.collect::<Option<Vec<usize>>>()?)
            )
        }
    };
    let on = vec![tensor.to_owned()];
    Some(Chain { text, on })
}

/// `x.permute(0, 2, 3, 1)`, `torch.permute(x, (0, 2, 3, 1))`: axis 0 is the batch, which is none here.
fn permuted(call: &Call<'_>) -> Option<Chain> {
    if call.name() != "permute" || !call.on.is_empty() {
        return None;
    }
    let values: Vec<&Value<'_>> = call.args.iter().map(|(_, value)| value).collect();
    let (tensor, axes) = match (method(call), values.as_slice()) {
        (Some(tensor), axes) => (tensor, axes),
        (None, [Value::Name(tensor), axes @ ..]) => (*tensor, axes),
        _ => return None,
    };
    let axes: Vec<&Value<'_>> = match axes {
        [Value::List(items)] => items.iter().collect(),
        axes => axes.to_vec(),
    };
    let number = |value: &&Value<'_>| match value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    };
    let axes = axes.iter().map(number).collect::<Option<Vec<usize>>>()?;
    let [0, axes @ ..] = axes.as_slice() else {
        return None;
    };
    let axes: Option<Vec<String>> = axes
        .iter()
        .map(|axis| Some(axis.checked_sub(1)?.to_string()))
        .collect();
    let text = format!(
        "permute ({})",
        axes.filter(|axes| axes.len() > 1)?.join(", ")
    );
    let on = vec![tensor.to_owned()];
    Some(Chain { text, on })
}

/// Keras's `ReLU(max_value=6)`, whose bound makes another layer of it.
fn bounded(call: &Call<'_>) -> Option<String> {
    let [(None | Some("max_value"), Value::Number(bound))] = call.args.as_slice() else {
        return None;
    };
    let bound = (normal(call.name()) == "relu").then(|| bound.parse::<f64>().ok())??;
    Some(match bound {
        6.0 => "relu6".to_owned(),
        bound => format!("clip 0 {bound}"),
    })
}

/// The tensors that a call is on, lists opened; `None` if one of them is none.
pub(super) fn names<'t>(values: &[&Value<'t>]) -> Option<Vec<&'t str>> {
    let mut names = Vec::new();
    for value in values {
        match value {
            Value::Name(name) => names.push(name.strip_prefix("self.").unwrap_or(name)),
            Value::List(items) => names.extend(self::names(&items.iter().collect::<Vec<_>>())?),
            _ => return None,
        }
    }
    Some(names)
}

/// `activation="relu"`, `activation=nn.ReLU`
fn activation(value: &Value<'_>, framework: Option<Framework>) -> Option<String> {
    match value {
        Value::Text("linear") | Value::Name("None") => Some(String::new()),
        Value::Text(name) | Value::Name(name) => {
            let found = layer::find(name).map(|decl| decl.keyword);
            found
                .or_else(|| layer(name, framework)?.keyword())
                .map(str::to_owned)
        }
        Value::Call(call) => Some(chain(call, framework).ok()?.text),
        _ => None,
    }
}

impl Foreign {
    /// Calls, for documentation, and the chains that they are; there are none of what is no layer here.
    pub fn examples(&self) -> impl Iterator<Item = (&'static str, String)> {
        let framework = self.framework;
        let examples = self.examples.iter();
        examples.filter_map(move |call| Some((*call, translate_on(call, framework)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::params::rank;
    use super::*;
    use crate::frameworks::FOREIGN;

    #[test]
    fn calls_become_chains() {
        for (theirs, here) in [
            ("nn.Conv2d(3, 64, 3)", Some("conv 3x3 64")),
            (
                "nn.Conv2d(3, 64, (3, 1), (2, 1), padding=(1, 0), groups=3)",
                Some("conv 3x1 64 /2x1 pad 1x0 groups 3"),
            ),
            ("nn.Conv1d(1, 8, 80, 4)", Some("conv 80 8 /4")),
            (
                "nn.Conv3d(3, 64, kernel_size=3, padding=1)",
                Some("conv 3x3x3 64 pad 1"),
            ),
            (
                "Conv2D(16, 3, activation=\"relu\")(x)",
                Some("conv 3x3 16 relu"),
            ),
            (
                "layers.Conv2D(filters=16, kernel_size=(3, 3), strides=2, padding='same', use_bias=False)",
                Some("conv 3x3 16 /2 pad same bias off"),
            ),
            (
                "nn.MaxPool2d(3, 2, ceil_mode=True)",
                Some("maxpool 3x3 /2 ceil"),
            ),
            ("nn.MaxPool2d(2)", Some("maxpool 2x2")),
            ("nn.AvgPool2d(2)", Some("avgpool 2x2")),
            (
                "nn.AvgPool2d(3, 1, 1)",
                Some("avgpool 3x3 /1 pad 1 count_include_pad"),
            ),
            (
                "nn.AvgPool2d(3, 1, 1, count_include_pad=False)",
                Some("avgpool 3x3 /1 pad 1"),
            ),
            ("nn.AdaptiveAvgPool2d(1)", Some("globalavgpool")),
            ("nn.AdaptiveAvgPool2d((1, 1))", Some("globalavgpool")),
            ("nn.AdaptiveAvgPool2d(6)", Some("adaptiveavgpool 6x6")),
            ("nn.AdaptiveMaxPool2d(6)", None),
            ("nn.BatchNorm2d(64, eps=1e-3)", Some("bn eps 1e-3")),
            ("BatchNormalization()", Some("bn eps 1e-3")),
            ("nn.PReLU()", Some("prelu single")),
            ("nn.PReLU(64)", Some("prelu")),
            ("nn.GELU(approximate='tanh')", Some("gelu approximate")),
            ("nn.Hardtanh(0, 20)", Some("clip 0 20")),
            ("nn.Hardtanh()", Some("clip -1 1")),
            ("nn.ZeroPad2d((1, 2, 3, 4))", Some("pad (3, 4, 1, 2)")),
            ("ZeroPadding2D(((1, 2), (3, 4)))", Some("pad (1, 2, 3, 4)")),
            ("ZeroPadding2D((3, 3))", Some("pad 3")),
            ("nn.ReflectionPad2d(3)", Some("pad 3 reflect")),
            (
                "nn.ReplicationPad2d((1, 2, 3, 4))",
                Some("pad (3, 4, 1, 2) edge"),
            ),
            ("nn.CircularPad2d(1)", None),
            (
                "nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)",
                Some("upsample 2 bilinear align_corners"),
            ),
            ("nn.Upsample(size=14)", None),
            ("nn.PixelShuffle(2)", Some("depth_to_space 2 crd")),
            ("nn.LeakyReLU(0.1, inplace=True)", Some("leaky 0.1")),
            ("nn.LeakyReLU()", Some("leaky")),
            ("nn.LocalResponseNorm(5, k=2)", Some("lrn k 2")),
            ("torch.cat([a, b], dim=1)", Some("concat(a, b)")),
            ("Add()([a, self.b])", Some("add(a, b)")),
            ("nn.Linear(16 * 5 * 5, 4 * 30)", Some("dense (4 * 30)")),
            ("Dense(10, activation='softmax')", Some("dense 10 softmax")),
            ("Activation('relu')", Some("relu")),
            ("Conv2D(width, 3)", None),
            ("nn.LSTM(3, 4)", None),
            ("nn.Conv2d()", None),
            (
                "nn.Conv2d(8, 8, 3, padding=1, padding_mode=\"reflect\")",
                Some("conv 3x3 8 pad 1 reflect"),
            ),
            (
                "nn.Conv2d(8, 8, 3, padding_mode=\"replicate\")",
                Some("conv 3x3 8"),
            ),
            (
                "nn.Conv2d(8, 8, 3, padding=1, padding_mode=\"circular\")",
                None,
            ),
            (
                "nn.Conv2d(8, 8, 3, padding_mode=\"zeros\")",
                Some("conv 3x3 8"),
            ),
            ("torch.cat((a, b), dim=2)", Some("concat(a, b) axis 1")),
            ("torch.cat((a, b), -1)", None),
            ("torch.cat((a, b), dim=0)", None),
            ("torch.cat((a,b),1)", Some("concat(a, b)")),
            ("nn.Flatten(2)", None),
            ("torch.flatten(x, 1)", Some("flatten")),
            ("nn.BatchNorm2d(8, track_running_stats=False)", None),
            ("nn.Softmax(dim=2)", None),
            ("nn.Softplus(beta=2)", None),
            ("ReLU(6.0)", Some("relu6")),
            ("layers.ReLU(max_value=6)(x)", Some("relu6")),
            ("ReLU(max_value=20)", Some("clip 0 20")),
            ("nn.ReLU(True)", Some("relu")),
            ("Concatenate(axis=1)([a, b])", None),
            ("F.max_pool2d(x, 2)", Some("maxpool 2x2")),
            ("F.interpolate(x, scale_factor=2)", Some("upsample 2")),
            ("x.view(-1, 400)", Some("flatten")),
            ("x.view(x.size(0), 16, 5, 5)", Some("reshape 16x5x5")),
            ("x.permute(0, 2, 3, 1)", Some("permute (1, 2, 0)")),
            (
                "torch.permute(x, dims=(0, 3, 1, 2))",
                Some("permute (2, 0, 1)"),
            ),
            ("x.permute(1, 0, 2, 3)", None),
            ("x.permute(0, -1, 1, 2)", None),
            ("MaxPooling2D()", Some("maxpool 2x2")),
            ("UpSampling2D()", Some("upsample 2")),
            ("print(3)", None),
        ] {
            assert_eq!(translate(theirs).as_deref(), here, "{theirs}");
        }
        let keras = translate_on("LeakyReLU()", Framework::Keras);
        assert_eq!(keras.as_deref(), Some("leaky 0.3"));
    }

    /// The calls of the table compile, and a row that has none is none of a layer of PyTorch's.
    #[test]
    fn every_example_of_the_table_compiles() {
        for row in FOREIGN {
            let examples: Vec<_> = row.examples().collect();
            assert_eq!(examples.len(), row.examples.len(), "{row:?}");
            let torch = row.framework == Framework::PyTorch && row.keyword().is_some();
            assert!(
                !torch || !examples.is_empty() || row.names().all(|name| name == "normalize"),
                "{row:?}"
            );
            for (call, chain) in examples {
                compiles(call, &chain);
            }
        }
    }

    fn compiles(call: &str, chain: &str) {
        let rank = rank(call.split('(').next().unwrap_or_default()).unwrap_or(2);
        let extents = &["12", "12x12", "6x6x6"][rank - 1];
        let input = match chain.split(' ').next() {
            Some("dense") => "input x: 512".to_owned(),
            Some("reshape") => "input x: 3136".to_owned(),
            Some(word) if word.contains('(') => format!("input a, b: 8x{extents}"),
            // Groups divide the channels.
            _ if chain.contains("groups") => format!("input x: 64x{extents}"),
            _ => format!("input x: 8x{extents}"),
        };
        let text = format!("cnn 1; model M {{ {input} ; {chain} }}");
        let mut files = crate::Files::default();
        if let Err(problems) = crate::compile_source(&mut files, "net.cnn", &text) {
            panic!("{call}: {problems}");
        }
    }
}
