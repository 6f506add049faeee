//! Arguments of a call as parameters of a layer: `3, padding=1` of a convolution is `3x3 pad 1`.

use super::call::Value;
use crate::frameworks::{Foreign, Framework, is_activation, ours};
use crate::layer::window::show;
use crate::layer::written::declaration;
use crate::layer::{Attribute, Decl, Kind, ParamDecl};

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

/// Dimensions that a class is for: 2 of `Conv2d` and `Conv2DTranspose`.
pub(super) fn rank(name: &str) -> Option<usize> {
    let pairs = name.as_bytes().windows(2);
    let mut ranks =
        pairs.filter(|pair| b"dD".contains(&pair[1]) && (b'1'..=b'3').contains(&pair[0]));
    ranks.next().map(|pair| usize::from(pair[0] - b'0'))
}

/// Reads the value of `activation`, which may be a call itself.
pub(super) type ReadActivation = fn(&Value<'_>, Option<Framework>) -> Option<String>;

/// Parameters as they are collected.
pub(super) struct Given {
    /// The layer here.
    pub(super) decl: &'static Decl,
    /// Dimensions that its class is for.
    rank: Option<usize>,
    row: &'static Foreign,
    values: Vec<(&'static ParamDecl, String)>,
    activation: Option<String>,
    read_activation: ReadActivation,
}

impl Given {
    /// None yet, of a layer here that is called so there.
    pub(super) fn new(
        decl: &'static Decl,
        row: &'static Foreign,
        name: &str,
        read_activation: ReadActivation,
    ) -> Given {
        Given {
            decl,
            rank: rank(name),
            row,
            values: Vec::new(),
            activation: None,
            read_activation,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(param, _)| param.name == name)
    }

    fn declared(&self, name: &str) -> Option<&'static ParamDecl> {
        declaration(self.decl.keyword, name)
    }

    fn get(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(param, _)| param.name == name);
        found.map(|(_, value)| value.as_str())
    }

    /// An argument with its name.
    pub(super) fn named(
        &mut self,
        name: &str,
        value: &Value<'_>,
        framework: Option<Framework>,
    ) -> Option<()> {
        let known = |name: &str| self.declared(name).is_some();
        if !known(name) && (IGNORED.contains(&name) || self.is_neutral(name, value)) {
            return Some(());
        }
        if is_activation(name) {
            return self.give("activation", value, framework);
        }
        if matches!(name, "dim" | "axis") && self.decl.keyword == "concat" {
            return self.concat_axis(name, value);
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

    /// The axis along which tensors stand behind one another. PyTorch counts the batch, too; of other axes that are counted from
    /// the end, or with channels last, which one is meant depends on the rank.
    fn concat_axis(&mut self, name: &str, value: &Value<'_>) -> Option<()> {
        if self.row.framework != Framework::PyTorch || *value == Value::Number("-3") {
            return self.is_neutral(name, value).then_some(());
        }
        let Value::Number(number) = value else {
            return None;
        };
        let axis = number.parse::<usize>().ok()?.checked_sub(1)?;
        self.values.push((self.declared("axis")?, axis.to_string()));
        Some(())
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
    pub(super) fn extra(&mut self, name: &str, value: &str) -> Option<()> {
        let param = self.declared(name)?;
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
    pub(super) fn give(
        &mut self,
        name: &str,
        value: &Value<'_>,
        framework: Option<Framework>,
    ) -> Option<()> {
        match name {
            "-" => return Some(()),
            "activation" => {
                self.activation = Some((self.read_activation)(value, framework)?);
                return Some(());
            }
            // Global pools are those that leave one element.
            "size" if self.decl.keyword == "globalmaxpool" => {
                return integers(value)?.iter().all(|&n| n == 1).then_some(());
            }
            _ => {}
        }
        let Some(param) = self.declared(name) else {
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
        match (&param.kind, value) {
            (Kind::Dims, Value::Number(number)) => {
                let times = match param.name {
                    "factor" | "dilation" => 1,
                    _ => self.rank.unwrap_or(1),
                };
                Some(vec![*number; times].join("x"))
            }
            (Kind::Dims, value) => Some(show(&integers(value)?)),
            (Kind::Stride, value) => Some(Attribute::Stride(integers(value)?).short().to_string()),
            (Kind::Padding, Value::Text(word)) => {
                let word = word.to_lowercase();
                matches!(word.as_str(), "same" | "valid").then_some(word)
            }
            (Kind::Padding, value) => self.padding(integers(value)?),
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
    fn padding(&self, mut amounts: Vec<usize>) -> Option<String> {
        let rank = self.rank.unwrap_or(2);
        let sides = amounts.len() == 2 * rank && amounts.len() > 1;
        // PyTorch lists the last axis first.
        if sides && self.decl.keyword == "pad" && self.row.framework == Framework::PyTorch {
            let axes: Vec<&[usize]> = amounts.chunks(2).rev().collect();
            amounts = axes.concat();
        }
        if amounts.iter().all(|n| n == &amounts[0]) {
            return Some(amounts[0].to_string());
        }
        match amounts.len() {
            _ if sides => Some(Attribute::Sides(amounts).to_string()),
            count if count == rank => Some(show(&amounts)),
            _ => None,
        }
    }

    /// As it stands in a chain.
    pub(super) fn written(&mut self) -> Option<String> {
        if self.decl.keyword == "adaptiveavgpool" {
            let size = self.get("size")?;
            if size.split('x').all(|n| n == "1") {
                return Some("globalavgpool".to_owned());
            }
        }
        // Without padding there is nothing to count or to mirror.
        if matches!(self.get("pad"), None | Some("0" | "valid")) {
            self.values
                .retain(|(param, _)| !["count_include_pad", "border"].contains(&param.name));
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

/// One or several extents, lists in lists opened.
fn integers(value: &Value<'_>) -> Option<Vec<usize>> {
    match value {
        Value::Number(number) => Some(vec![number.parse().ok()?]),
        Value::List(items) if !items.is_empty() => {
            let items = items.iter().map(integers);
            Some(items.collect::<Option<Vec<_>>>()?.concat())
        }
        _ => None,
    }
}
