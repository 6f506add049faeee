//! A layer as Python calls it, as it stands in a chain: `nn.Conv2d(3, 64, 3, padding=1)` is `conv 3x3 64 pad 1`.

use super::call::{Call, Value};
use super::layers::{Foreign, Framework, Ours};
use super::python::MODULES;
use super::{is_activation, layer, normal, ours};
use crate::layer::{self, Decl, Kind, ParamDecl};

/// Arguments that say nothing here: what shapes say already, and what is for training.
const IGNORED: &[&str] = &[
    "in_channels",
    "in_features",
    "num_features",
    "normalized_shape",
    "name",
    "input_shape",
    "input_dim",
    "batch_input_shape",
    "momentum",
    "device",
    "dtype",
    "trainable",
    "training",
    "seed",
    "kernel_initializer",
    "bias_initializer",
    "kernel_regularizer",
    "bias_regularizer",
    "kernel_constraint",
    "recompute_scale_factor",
];

/// Arguments that say nothing with one of these values, and have no counterpart with others.
const NEUTRAL: &[(&str, &[&str])] = &[
    ("inplace", &["True", "False"]),
    ("padding_mode", &["zeros"]),
    ("track_running_stats", &["True"]),
    ("return_indices", &["False"]),
    ("start_dim", &["1"]),
    ("end_dim", &["-1"]),
    ("noise_shape", &["None"]),
    ("data_format", &["channels_last", "None"]),
];

/// A call as a chain.
#[derive(Debug)]
pub(crate) struct Chain {
    /// As it stands in a spec; operands of joins are in it.
    pub(crate) text: String,
    /// The tensors that it is called on.
    pub(crate) on: Vec<String>,
}

/// Why a call is no chain, for a note; empty where there is nothing to say.
pub(crate) type Untold = String;

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
    if let Some(shape) = reshaped(call) {
        return Ok(shape);
    }
    // A module of the network's own, whatever its name.
    if call.path.starts_with("self.") {
        return Err(String::new());
    }
    let row = layer(call.path, framework).ok_or_else(String::new)?;
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
            _ => Err(String::new()),
        };
    }
    let text = match row.ours {
        Ours::Layer(text) => text,
        Ours::Write(text) => return Err(format!("`{name}` is no layer here: write {text}")),
        Ours::Nothing(why) => return Err(format!("`{name}` is left out: {why}")),
        Ours::Missing(what) => return Err(format!("`{name}` is not supported yet: {what}")),
    };
    let keyword = text.split(' ').next().unwrap_or(text);
    let mut given = Given {
        decl: layer::find(keyword).ok_or_else(String::new)?,
        rank: rank(name),
        row,
        values: Vec::new(),
        activation: None,
    };
    let without = |what: &str| format!("`{name}` with `{what}` has no counterpart here");
    // Functions without parameters are called with their operands: `torch.cat([a, b], dim=1)`.
    let function = row.args().next().is_none();
    let mut positional = row.args();
    let mut operands = Vec::new();
    for (index, (name, value)) in call.args.iter().enumerate() {
        let done = match name {
            Some(name) => given.named(name, value, framework),
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
            let name = name.map_or(String::new(), |name| format!("{name}="));
            return Err(without(&format!("{name}{value}")));
        }
    }
    operands.extend(&call.on);
    let tensor = method(call).map(Value::Name);
    operands.extend(&tensor);
    let mut extras = text.split(' ').skip(1);
    while let (Some(name), Some(value)) = (extras.next(), extras.next()) {
        if !given.has(name) {
            given.extra(name, value).ok_or_else(String::new)?;
        }
    }
    let names = names(&operands).ok_or_else(String::new)?;
    let mut written = given.written().ok_or_else(String::new)?;
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
    (lower && tensor != "self" && !MODULES.contains(&tensor)).then_some(tensor)
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
                Value::Number(number) => number.parse::<u32>().ok(),
                _ => None,
            });
            let extents = extents.collect::<Option<Vec<u32>>>()?;
            let extents: Vec<String> = extents.iter().map(u32::to_string).collect();
            format!("reshape {}", extents.join("x"))
        }
    };
    let on = vec![tensor.to_owned()];
    Some(Chain { text, on })
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

/// Dimensions that a class is for: 2 of `Conv2d` and `Conv2DTranspose`.
fn rank(name: &str) -> Option<usize> {
    let pairs = name.as_bytes().windows(2);
    let mut ranks =
        pairs.filter(|pair| b"dD".contains(&pair[1]) && (b'1'..=b'3').contains(&pair[0]));
    ranks.next().map(|pair| usize::from(pair[0] - b'0'))
}

fn find(decl: &Decl, name: &str) -> Option<&'static ParamDecl> {
    let params: &'static [ParamDecl] = decl.params;
    params.iter().find(|param| param.name == name)
}

/// Parameters as they are collected.
struct Given {
    decl: &'static Decl,
    rank: Option<usize>,
    row: &'static Foreign,
    values: Vec<(&'static ParamDecl, String)>,
    activation: Option<String>,
}

impl Given {
    fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(param, _)| param.name == name)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(param, _)| param.name == name);
        found.map(|(_, value)| value.as_str())
    }

    /// An argument with its name.
    fn named(&mut self, name: &str, value: &Value<'_>, framework: Option<Framework>) -> Option<()> {
        let known = |name: &str| find(self.decl, name).is_some();
        if !known(name) && (IGNORED.contains(&name) || self.is_neutral(name, value)) {
            return Some(());
        }
        if is_activation(name) {
            return self.give("activation", value, framework);
        }
        // Arguments of the same name mean what those in the row mean.
        let own = self.row.args().find(|&own| own == name);
        let ours = own.or_else(|| {
            ours(name).find(|ours| known(ours) || self.row.args().any(|own| own == *ours))
        });
        let ours = match known(name) {
            true => name,
            false => ours?,
        };
        self.give(ours, value, framework)
    }

    /// Whether the argument changes nothing with that value.
    fn is_neutral(&self, name: &str, value: &Value<'_>) -> bool {
        let (Value::Number(written) | Value::Name(written) | Value::Text(written)) = value else {
            return false;
        };
        // Only the order of a vector's elements depends on where the channels are.
        if name == "data_format" && self.decl.keyword != "flatten" {
            return true;
        }
        // The axis of the channels, which is the last of Keras's.
        if matches!(name, "dim" | "axis") {
            return match self.row.framework {
                Framework::Keras => matches!(*written, "-1" | "3"),
                _ => name == "axis" && *written == "-1" || matches!(*written, "1" | "-3"),
            };
        }
        let values = NEUTRAL.iter().find(|(neutral, _)| *neutral == name);
        values.is_some_and(|(_, values)| values.contains(written))
    }

    /// A parameter whose default is another here.
    fn extra(&mut self, name: &str, value: &str) -> Option<()> {
        let param = find(self.decl, name)?;
        let value = match param.kind {
            Kind::Dims if value.parse::<u32>().is_ok() => {
                self.text(param, &Value::Number(value))?
            }
            _ => value.to_owned(),
        };
        self.values.push((param, value));
        Some(())
    }

    /// A value for the parameter here.
    fn give(&mut self, name: &str, value: &Value<'_>, framework: Option<Framework>) -> Option<()> {
        match name {
            "-" => return Some(()),
            "activation" => {
                self.activation = Some(activation(value, framework)?);
                return Some(());
            }
            // Global pools are those that leave one element.
            "size" if self.decl.keyword == "globalmaxpool" => {
                return integers(value)?.iter().all(|&n| n == 1).then_some(());
            }
            _ => {}
        }
        let Some(param) = find(self.decl, name) else {
            if self.is_neutral(name, value) {
                return Some(());
            }
            // `dilation=1` of a pool.
            let none = matches!(value, Value::Number("1") | Value::Name("False" | "None"));
            return (none && !["axis", "dim"].contains(&name)).then_some(());
        };
        if *value == Value::Name("None") {
            return Some(());
        }
        let text = self.text(param, value)?;
        self.values.push((param, text));
        Some(())
    }

    /// A value as it is written for that parameter.
    fn text(&self, param: &ParamDecl, value: &Value<'_>) -> Option<String> {
        let joined = |items: &[i64]| {
            let items: Vec<String> = items.iter().map(i64::to_string).collect();
            items.join("x")
        };
        match (&param.kind, value) {
            (Kind::Dims, Value::Number(number)) => {
                let times = match param.name {
                    "factor" | "dilation" => 1,
                    _ => self.rank.unwrap_or(1),
                };
                Some(vec![*number; times].join("x"))
            }
            (Kind::Dims, value) => Some(joined(&integers(value)?)),
            (Kind::Stride, value) => {
                let steps = integers(value)?;
                let same = steps.iter().all(|step| step == &steps[0]);
                Some(format!(
                    "/{}",
                    joined(&steps[..if same { 1 } else { steps.len() }])
                ))
            }
            (Kind::Padding, Value::Text(word)) => {
                let word = word.to_lowercase();
                matches!(word.as_str(), "same" | "valid").then_some(word)
            }
            (Kind::Padding, value) => self.padding(&integers(value)?),
            (Kind::Flag, Value::Name("True")) => Some("on".to_owned()),
            (Kind::Flag, Value::Name("False")) => Some("off".to_owned()),
            // Slopes: one for all channels, or one for each.
            (Kind::Flag, Value::Number(count)) if param.name == "single" => {
                Some(if *count == "1" { "on" } else { "off" }.to_owned())
            }
            (Kind::Int | Kind::Float, Value::Number(number)) => Some((*number).to_owned()),
            // Constants are computed in a spec too.
            (Kind::Int, Value::Other(text)) => {
                let constant = |c: char| c.is_ascii_digit() || " +-*()".contains(c);
                text.chars().all(constant).then(|| format!("({text})"))
            }
            (Kind::Word(words), value) => self.word(param, words, value),
            _ => None,
        }
    }

    fn word(&self, param: &ParamDecl, words: &[&str], value: &Value<'_>) -> Option<String> {
        let word = match value {
            Value::Text(word) => word.to_lowercase(),
            Value::Name("True") if param.name == "rounding" => "ceil".to_owned(),
            Value::Name("False") if param.name == "rounding" => "floor".to_owned(),
            Value::Name("True") if param.name == "form" => "approximate".to_owned(),
            Value::Name("False") if param.name == "form" => "exact".to_owned(),
            _ => return None,
        };
        // PyTorch's names of the forms of GELU.
        let word = match (param.name, word.as_str()) {
            ("form", "tanh") => "approximate".to_owned(),
            ("form", "none") => "exact".to_owned(),
            _ => word,
        };
        let known = |word: &str| words.iter().find(|known| **known == word);
        let found = known(&word).or_else(|| ours(&word).find_map(known));
        found.map(|word| (*word).to_owned())
    }

    /// `1`, `0x1`, `(top, bottom, left, right)`
    fn padding(&self, amounts: &[i64]) -> Option<String> {
        let mut amounts = amounts.to_vec();
        let rank = self.rank.unwrap_or(2);
        if amounts.len() == 2 * rank && amounts.len() > 1 {
            // PyTorch lists the last axis first.
            if self.decl.keyword == "pad" && self.row.framework == Framework::PyTorch {
                let axes: Vec<&[i64]> = amounts.chunks(2).rev().collect();
                amounts = axes.concat();
            }
            if amounts.iter().all(|n| n == &amounts[0]) {
                return Some(amounts[0].to_string());
            }
            let amounts: Vec<String> = amounts.iter().map(i64::to_string).collect();
            return Some(format!("({})", amounts.join(", ")));
        }
        let same = amounts.iter().all(|n| n == &amounts[0]);
        let amounts: Vec<String> = amounts.iter().map(i64::to_string).collect();
        match (amounts.len(), same) {
            (_, true) => Some(amounts[0].clone()),
            (count, _) if count == rank => Some(amounts.join("x")),
            _ => None,
        }
    }

    /// As it stands in a chain.
    fn written(&mut self) -> Option<String> {
        if self.decl.keyword == "adaptiveavgpool" {
            let size = self.get("size")?;
            if size.split('x').all(|n| n == "1") {
                return Some("globalavgpool".to_owned());
            }
        }
        // Without padding there is nothing to count.
        if matches!(self.get("pad"), None | Some("0" | "valid")) {
            self.values
                .retain(|(param, _)| param.name != "count_include_pad");
        }
        let mut text = self.decl.keyword.to_owned();
        for param in self.decl.params {
            let Some(value) = self.get(param.name) else {
                param.default?;
                continue;
            };
            let plain = |text: &str| text.trim_start_matches('/').parse::<f64>().ok();
            let default = param.default.is_some_and(|default| {
                default == value || (plain(default).is_some() && plain(default) == plain(value))
            });
            if default || (param.kind == Kind::Padding && value == "0") {
                continue;
            }
            text.push(' ');
            if !param.positional {
                text += param.name;
                // A flag's bare name means `on`.
                if param.kind == Kind::Flag && value == "on" {
                    continue;
                }
                text.push(' ');
            }
            text += value;
        }
        if let Some(activation) = self.activation.as_ref().filter(|text| !text.is_empty()) {
            text = format!("{text} {activation}");
        }
        Some(text)
    }
}

/// One or several integers, lists in lists opened.
fn integers(value: &Value<'_>) -> Option<Vec<i64>> {
    match value {
        Value::Number(number) => Some(vec![number.parse().ok()?]),
        Value::List(items) if !items.is_empty() => {
            let items = items.iter().map(integers);
            Some(items.collect::<Option<Vec<_>>>()?.concat())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::FOREIGN;
    use super::*;

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
            ("nn.Conv2d(8, 8, 3, padding_mode=\"reflect\")", None),
            (
                "nn.Conv2d(8, 8, 3, padding_mode=\"zeros\")",
                Some("conv 3x3 8"),
            ),
            ("torch.cat((a, b), dim=2)", None),
            ("torch.cat((a,b),1)", Some("concat(a, b)")),
            ("nn.Flatten(2)", None),
            ("torch.flatten(x, 1)", Some("flatten")),
            ("nn.BatchNorm2d(8, track_running_stats=False)", None),
            ("nn.Softmax(dim=2)", None),
            ("nn.Softplus(beta=2)", None),
            ("ReLU(6.0)", None),
            ("Concatenate(axis=1)([a, b])", None),
            ("F.max_pool2d(x, 2)", Some("maxpool 2x2")),
            ("F.interpolate(x, scale_factor=2)", Some("upsample 2")),
            ("x.view(-1, 400)", Some("flatten")),
            ("x.view(x.size(0), 16, 5, 5)", Some("reshape 16x5x5")),
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
