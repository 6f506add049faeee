//! Python where a spec should be: `x = Conv2D(16, 3)(x)`, `self.fc = nn.Linear(512, 10)`, `model.add(Dense(10))`.

use super::call::{Call, Value};
use super::extents;
use super::origin::{framework, imported};
use super::printed;
use super::statement::{Statement, end, listed, statement};
use super::translate::{Chain, chain};
use crate::diagnostic::{Diagnostic, codes};
use crate::frameworks::{Framework, normal};
use crate::span::Span;
use std::collections::HashSet;

/// Most lines that are shown of a translation.
const SHOWN: usize = 24;

/// How an input begins.
const INPUT: &str = "input ";

/// Most notes on what was not understood.
const MISSED: usize = 6;

/// Functions that run a network: theirs is the order of its layers.
const RUNS: &[&str] = &["forward(", "call(", "__call__("];

/// Python statements of a file, as they are found.
#[derive(Debug, Default)]
pub(crate) struct Python {
    framework: Option<Framework>,
    /// The first, and from there to the end of the last.
    span: Option<(Span, Span)>,
    /// As they stand in a spec.
    lines: Vec<String>,
    /// Blanks before the first.
    indent: String,
    /// Whether every statement has been understood.
    whole: bool,
    /// The tensor that the last statement made.
    last: Option<String>,
    /// Names that a label has.
    labels: HashSet<String>,
    /// Those that have meant another tensor since.
    moved: HashSet<String>,
    /// Whether it is in the body of the function that runs the network,
    running: bool,
    /// which alone knows the order of the layers.
    ordered_elsewhere: bool,
    /// What there is to say of what was not understood.
    missed: Vec<String>,
    /// Whether a layer is missing in the lines.
    partial: bool,
    /// Shape of the input, as the first layer tells it.
    shape: Option<String>,
    /// Channels of what the first convolution is on.
    channels: Option<usize>,
}

impl Python {
    /// Takes the statement if it is Python; `between` is what stands before it, from the one on that was taken last.
    pub(crate) fn take(&mut self, text: &str, span: Span, between: &str) -> bool {
        let text = text.trim();
        let Some(mut statement) = statement(text) else {
            return false;
        };
        if let Some(name) = text.strip_prefix("def ") {
            self.running = RUNS.iter().any(|run| name.starts_with(run));
            self.ordered_elsewhere |= self.running;
        } else if text.starts_with("class ") {
            self.running = false;
        }
        if self.running {
            statement = Statement::Other;
        }
        if self.span.is_none() {
            let line = between.rsplit('\n').next().unwrap_or("");
            let blank = line.chars().all(|c| c == ' ' || c == '\t');
            self.indent = if blank { line } else { "" }.to_owned();
        }
        let follows = self.span.is_none() || (self.whole && between.trim().is_empty());
        self.whole = self.add(&statement) && follows;
        self.span = Some(match self.span {
            None => (span, span),
            Some((first, all)) => (first, all.to(span)),
        });
        true
    }

    /// Adds the lines of a statement; whether it was understood.
    fn add(&mut self, statement: &Statement<'_>) -> bool {
        let (target, call, ordered) = match statement {
            Statement::Makes(target, call) => (*target, call, true),
            Statement::Module(target, call) => (Some(*target), call, false),
            Statement::Other => return false,
        };
        let mut items = Vec::new();
        listed(call, &mut items);
        let told = || framework(call).or_else(|| items.iter().find_map(|call| framework(call)));
        self.framework = self.framework.or_else(told);
        let (count, mut understood) = (items.len(), true);
        for call in items {
            self.input_of(call);
            // A list of layers has no names.
            let target = target.filter(|_| count == 1);
            match self.line(target, call) {
                Some(line) => self.lines.push(line),
                None => (understood, self.partial) = (false, true),
            }
        }
        understood && ordered
    }

    /// The input of a network that its first layer tells: `Conv2D(16, 3, input_shape=(28, 28, 1))`.
    fn input_of(&mut self, call: &Call<'_>) {
        let told = |name: &str| call.args.iter().find(|(own, _)| *own == Some(name));
        if let Some((_, value)) = told("input_shape")
            && self.shape.is_none()
        {
            self.shape = extents::show(&[value]);
        }
        // A convolution of PyTorch says how many channels it is on; that of Keras does not.
        let first = call.args.first().filter(|(name, _)| name.is_none());
        let channels = told("in_channels").or(first).map(|(_, value)| value);
        let torch = self.framework != Some(Framework::Keras) && normal(call.name()) == "conv2d";
        if let (true, None, Some(Value::Number(number))) = (torch, self.channels, channels) {
            self.channels = number.parse().ok();
        }
    }

    /// A layer as a statement.
    fn line(&mut self, target: Option<&str>, call: &Call<'_>) -> Option<String> {
        if matches!(normal(call.name()).as_str(), "input" | "inputlayer") {
            let name = target.unwrap_or("x");
            let line = format!("{INPUT}{name}: {}", extents::of_input(call)?);
            self.last = Some(name.to_owned());
            self.labels.insert(name.to_owned());
            return Some(line);
        }
        let Chain { text, on } = match chain(call, self.framework) {
            Ok(chain) => chain,
            Err(why) => {
                let new = why.filter(|why| !self.missed.contains(why));
                if self.missed.len() < MISSED {
                    self.missed.extend(new);
                }
                return None;
            }
        };
        // What a chain goes on from need not be said.
        let goes_on = on.len() == 1 && self.last.as_ref() == Some(&on[0]);
        if !goes_on && on.iter().any(|name| self.moved.contains(name)) {
            return None;
        }
        let route = match on.as_slice() {
            [name] if !goes_on => format!("{name} "),
            _ => String::new(),
        };
        // `x = …(x)` gives no second thing the name.
        let label = target.filter(|target| self.labels.insert((*target).to_owned()));
        if let (Some(target), None) = (target, label) {
            self.moved.insert(target.to_owned());
        }
        self.last = target.map(str::to_owned);
        Some(match label {
            Some(label) => format!("{label}: {route}{text}"),
            None => format!("{route}{text}"),
        })
    }

    /// The one error for all that was taken, of the statements of a spec, which may have an input, or of a file without one.
    pub(crate) fn diagnose(mut self, in_spec: bool, has_input: bool) -> Option<Diagnostic> {
        let (span, all) = self.span?;
        let free = |name: &&&str| !self.labels.contains(**name);
        let input = ["x", "image", "images"]
            .iter()
            .find(free)
            .unwrap_or(&"input_1");
        let has_input = has_input || self.lines.iter().any(|line| line.starts_with(INPUT));
        if let (Some(shape), false) = (&self.shape, has_input) {
            self.lines.insert(0, format!("{INPUT}{input}: {shape}"));
        }
        let language = match self.framework {
            Some(framework) => format!("Python ({framework})"),
            None => "Python".to_owned(),
        };
        let problem = Diagnostic::new(
            codes::FOREIGN,
            span,
            format!("this is {language}, not a spec"),
        );
        let few = self.lines.len() <= SHOWN;
        if in_spec && self.whole && few {
            let written = self.lines.join(&format!("\n{}", self.indent));
            return Some(problem.fix("the same as a spec", all, written));
        }
        let problem = self.missed.into_iter().fold(problem, Diagnostic::note);
        let mut lines = self.lines;
        if !few {
            lines.truncate(SHOWN);
            lines.push("…".to_owned());
        }
        let title = match (self.ordered_elsewhere, self.partial) {
            (true, _) => {
                "layers in the order in which the file makes them; their order in the network is that of `forward`, \
                 which may use some again and has steps of its own"
            }
            (false, true) => "those of its layers that a spec has",
            (false, false) => "its layers as a spec has them",
        };
        let has_input = lines.iter().any(|line| line.starts_with(INPUT));
        if !in_spec && !has_input && !lines.is_empty() {
            let channels: usize = self.channels.unwrap_or(3);
            lines.insert(
                0,
                format!("{INPUT}{input}: {channels}x224x224   # channels x rows x columns"),
            );
        }
        let written = lines.join("\n  ");
        Some(match (lines.is_empty(), in_spec) {
            (true, true) if !problem.notes.is_empty() => problem,
            (true, true) => {
                problem.help("layers stand behind one another: `conv 3x3 16 pad half relu`")
            }
            (true, false) => problem.help(FORM),
            (false, true) => problem.help(format!("{title}:\n  {written}")),
            (false, false) => {
                problem.help(format!("{title}:\ncnn 1\nmodel Net {{\n  {written}\n}}"))
            }
        })
    }
}

/// What a spec looks like.
const FORM: &str = "a spec is a list of layers:\ncnn 1\nmodel Net {\n  input x: 3x32x32\n  conv 3x3 16 pad half relu\n  globalavgpool\n  dense 10\n}";

/// The layers of all Python statements of a text.
pub(super) fn read(text: &str, span: impl Fn(usize, usize) -> Span) -> Python {
    let known = text.lines().find_map(imported);
    // A program may quote what it prints.
    if known.is_none()
        && let Some(python) = read_printed(text, &span)
    {
        return python;
    }
    let python = read_as(known, text, &span);
    // Whose names they are may show behind the first layers.
    match (known, python.framework) {
        (None, Some(framework)) => read_as(Some(framework), text, &span),
        _ => python,
    }
}

/// The layers of a network that has been printed, `print(model)`.
fn read_printed(text: &str, span: &impl Fn(usize, usize) -> Span) -> Option<Python> {
    let modules = printed::modules(text)?;
    let mut python = Python {
        framework: Some(Framework::PyTorch),
        ordered_elsewhere: true,
        ..Python::default()
    };
    let all = span(0, text.len());
    for (name, call) in &modules {
        python.add(&Statement::Module(name, call.clone()));
        python.span.get_or_insert((all, all));
    }
    Some(python)
}

fn read_as(
    framework: Option<Framework>,
    text: &str,
    span: &impl Fn(usize, usize) -> Span,
) -> Python {
    let mut python = Python {
        framework,
        ..Python::default()
    };
    let mut at = 0;
    // More than a network of a tutorial has, and less than takes long.
    for _ in 0..2000 {
        let rest = &text[at..];
        let start = at + (rest.len() - rest.trim_start().len());
        if start >= text.len() {
            break;
        }
        let end = start + end(&text[start..]);
        python.take(&text[start..end], span(start, end), "x");
        at = end;
    }
    python
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::span::FileId;

    fn lines(text: &str) -> (Vec<String>, Option<Framework>) {
        let python = read(text, |start, end| Span::new(FileId::new(0), start..end));
        (python.lines, python.framework)
    }

    #[test]
    fn a_functional_model_of_keras() {
        let (lines, framework) = lines(
            "from tensorflow.keras import layers
inputs = keras.Input(shape=(32, 32, 3))
x = layers.Conv2D(16, 3, padding='same', activation='relu')(inputs)
y = layers.Conv2D(16, 3, padding='same')(x)
x = layers.Add()([x, y])
x = layers.ReLU()(x)
z = layers.Flatten()(y)
",
        );
        assert_eq!(framework, Some(Framework::Keras));
        assert_eq!(
            lines,
            [
                "input inputs: 3x32x32",
                "x: conv 3x3 16 pad same relu",
                "y: conv 3x3 16 pad same",
                "add(x, y)",
                "relu",
                "z: y flatten spatial",
            ]
        );
    }

    #[test]
    fn names_that_frameworks_share_do_not_decide() {
        for (text, framework) in [
            (
                "net = Sequential()\nnet.add(Flatten())\nnet.add(MaxPooling2D((2, 2)))",
                Framework::Keras,
            ),
            (
                "net = Sequential([Conv2D(16, 3), MaxPooling2D(), ReLU(max_value=6)])",
                Framework::Keras,
            ),
            (
                "from keras.layers import Flatten\nx = Flatten()(x)",
                Framework::Keras,
            ),
            (
                "import tensorflow as tf\nx = Flatten()(x)",
                Framework::Keras,
            ),
            ("MaxPooling2D((2, 2)),\nDense(10),", Framework::Keras),
            (
                "import torch\nnet = Sequential(Flatten(), Linear(8, 10))",
                Framework::PyTorch,
            ),
            (
                "net = Sequential(Flatten(), Linear(8, 10))",
                Framework::PyTorch,
            ),
        ] {
            assert_eq!(lines(text).1, Some(framework), "{text}");
        }
        assert_eq!(lines("net = Sequential(ReLU())").1, None);
        let (lines, _) =
            lines("net = Sequential([Conv2D(16, 3), MaxPooling2D(), ReLU(max_value=6)])");
        assert_eq!(lines, ["conv 3x3 16", "maxpool 2x2", "relu6"]);
    }

    #[test]
    fn a_network_that_was_printed() {
        let (lines, framework) = lines(
            "Net(
  (features): Sequential(
    (0): Conv2d(1, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
    (1): BatchNorm2d(16, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)
    (2): ReLU(inplace=True)
    (3): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
  )
  (fc): Linear(in_features=784, out_features=10, bias=True)
)
",
        );
        assert_eq!(framework, Some(Framework::PyTorch));
        assert_eq!(
            lines,
            [
                "features.0: conv 3x3 16 pad 1 bias off",
                "features.1: bn",
                "features.2: relu",
                "features.3: maxpool 2x2 /2",
                "fc: dense 10",
            ]
        );
    }

    #[test]
    fn the_first_layer_tells_the_input() {
        for (text, input) in [
            (
                "import keras\nmodel.add(Conv2D(16, 3, input_shape=(28, 28, 1)))\nmodel.add(Flatten())",
                "input x: 1x28x28",
            ),
            (
                "import keras\nm = Sequential([Dense(10, input_shape=(784,))])",
                "input x: 784",
            ),
            (
                "nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU())",
                "input x: 1x224x224 ",
            ),
            ("nn.Sequential(nn.Linear(1, 6))", "input x: 3x224x224 "),
        ] {
            let python = read(text, |start, end| Span::new(FileId::new(0), start..end));
            let told = python.diagnose(false, false).unwrap().help.join("\n");
            assert!(told.contains(&format!("\n  {input}")), "{told}");
        }
    }

    #[test]
    fn modules_of_pytorch() {
        let (lines, framework) = lines(
            "class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)  # why
        self.rest = nn.Sequential(
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.fc = nn.Linear(
            84, 10)

    def forward(self, x):
        return self.fc(x)
",
        );
        assert_eq!(framework, Some(Framework::PyTorch));
        assert_eq!(
            lines,
            [
                "conv1: conv 5x5 6 pad 2",
                "relu",
                "maxpool 2x2",
                "fc: dense 10"
            ]
        );
    }
}
