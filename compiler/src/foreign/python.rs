//! Python where a spec should be: `x = Conv2D(16, 3)(x)`, `self.fc = nn.Linear(512, 10)`, `model.add(Dense(10))`.

use super::call::{Call, Value};
use super::translate::{Chain, chain};
use crate::diagnostic::{Diagnostic, codes};
use crate::frameworks::{Framework, layers, normal};
use crate::layer::window::show;
use crate::span::Span;
use std::collections::HashSet;

/// Most lines that are shown of a translation.
const SHOWN: usize = 24;

/// Most notes on what was not understood.
const MISSED: usize = 6;

/// Functions that run a network: theirs is the order of its layers.
const RUNS: &[&str] = &["forward(", "call(", "__call__("];

/// What Python begins statements with that make no layer.
const STARTS: &[&str] = &[
    "def ",
    "class ",
    "from ",
    "return",
    "super(",
    "super().",
    "self.",
    "print(",
    "with ",
    "assert ",
    "elif ",
    "@",
    "if __name__",
    "async ",
];

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
fn module(path: &str) -> Option<&'static (&'static str, Option<Framework>)> {
    let (first, _) = path.split_once('.')?;
    MODULES.iter().find(|(name, _)| *name == first)
}

/// Whether it is the name of a module.
pub(super) fn is_module(name: &str) -> bool {
    MODULES.iter().any(|(module, _)| *module == name)
}

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
}

/// One statement.
enum Statement<'t> {
    /// It makes a layer, under that name,
    Makes(Option<&'t str>, Call<'t>),
    /// which is used elsewhere, in an order that only `forward` tells.
    Module(&'t str, Call<'t>),
    /// It does something else.
    Other,
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
            // A list of layers has no names.
            let target = target.filter(|_| count == 1);
            match self.line(target, call) {
                Some(line) => self.lines.push(line),
                None => (understood, self.partial) = (false, true),
            }
        }
        understood && ordered
    }

    /// A layer as a statement.
    fn line(&mut self, target: Option<&str>, call: &Call<'_>) -> Option<String> {
        if matches!(normal(call.name()).as_str(), "input" | "inputlayer") {
            let name = target.unwrap_or("x");
            let line = format!("input {name}: {}", shape(call)?);
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

    /// The one error for all that was taken, of the statements of a spec or of a file without one.
    pub(crate) fn diagnose(self, in_spec: bool) -> Option<Diagnostic> {
        let (span, all) = self.span?;
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
        let has_input = lines.iter().any(|line| line.starts_with("input "));
        if !in_spec && !has_input && !lines.is_empty() {
            lines.insert(
                0,
                "input x: 3x224x224   # channels x rows x columns".to_owned(),
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
    let python = read_as(known, text, &span);
    // Whose names they are may show behind the first layers.
    match (known, python.framework) {
        (None, Some(framework)) => read_as(Some(framework), text, &span),
        _ => python,
    }
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

/// Length of a statement: to the end of its line, or of the line where its brackets are closed.
fn end(text: &str) -> usize {
    let mut depth = 0usize;
    let mut comment = false;
    for (at, c) in text.char_indices() {
        match c {
            '\n' if depth == 0 || at > 4096 => return at,
            '\n' => comment = false,
            '#' => comment = true,
            '(' | '[' if !comment => depth += 1,
            ')' | ']' if !comment => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

fn statement(text: &str) -> Option<Statement<'_>> {
    let made = assigned(text)
        .or_else(|| added(text))
        .or_else(|| bare(text));
    let other = || {
        STARTS
            .iter()
            .any(|start| text.starts_with(start))
            .then_some(Statement::Other)
    };
    made.or_else(other)
}

/// `name = Call(…)`, `self.name = Call(…)`
fn assigned(text: &str) -> Option<Statement<'_>> {
    let (left, right) = text.split_once('=')?;
    let left = left.trim();
    let word = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
    if left.is_empty() || !left.chars().all(word) || right.starts_with('=') {
        return None;
    }
    let (call, rest) = Call::read(right.trim_start())?;
    let called = !call.on.is_empty() && foreign_name(&call);
    if let Some(name) = left.strip_prefix("self.") {
        return over(rest).then_some(Statement::Module(name, call));
    }
    // `y = self.conv1(x)`
    if call.path.starts_with("self.") {
        return Some(Statement::Other);
    }
    let known = foreign(&call) || called || module(call.path).is_some();
    (known && over(rest)).then_some(Statement::Makes(Some(left), call))
}

/// `model.add(Call(…))`
fn added(text: &str) -> Option<Statement<'_>> {
    let (call, rest) = Call::read(text)?;
    let [(None, Value::Call(inner))] = call.args.as_slice() else {
        return None;
    };
    (call.path.ends_with(".add") && over(rest)).then(|| Statement::Makes(None, inner.clone()))
}

/// `nn.Conv2d(…),`, where it could be nothing of a spec.
fn bare(text: &str) -> Option<Statement<'_>> {
    let (call, rest) = Call::read(text)?;
    let named = call.args.iter().any(|(name, _)| name.is_some());
    let python = named
        || !call.on.is_empty()
        || rest.trim_start().starts_with(',')
        || module(call.path).is_some();
    (foreign_name(&call) && python && over(rest)).then_some(Statement::Makes(None, call))
}

/// Whether nothing follows that belongs to the statement.
fn over(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t', ',']);
    rest.is_empty() || rest.starts_with(['#', '\n', '\r'])
}

/// Whether a framework has a layer of that name.
fn foreign_name(call: &Call<'_>) -> bool {
    !layers(call.path).is_empty()
}

/// Whether it is a name of a framework's, and none here.
fn foreign(call: &Call<'_>) -> bool {
    foreign_name(call) && crate::layer::find(call.path).is_none()
}

/// The layers of a list of them: `nn.Sequential(…)`, `Sequential([…])`.
fn listed<'c, 't>(call: &'c Call<'t>, items: &mut Vec<&'c Call<'t>>) {
    fn open<'c, 't>(value: &'c Value<'t>, items: &mut Vec<&'c Call<'t>>) {
        match value {
            Value::Call(call) => listed(call, items),
            Value::List(values) => values.iter().for_each(|value| open(value, items)),
            _ => {}
        }
    }
    match normal(call.name()).as_str() {
        "sequential" | "modulelist" => call.args.iter().for_each(|(_, value)| open(value, items)),
        _ => items.push(call),
    }
}

/// Whose modules a line imports: `from tensorflow.keras.layers import Conv2D`, `import torch`.
fn imported(line: &str) -> Option<Framework> {
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
fn framework(call: &Call<'_>) -> Option<Framework> {
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

/// The shape of `Input((32, 32, 3))`, channels first.
fn shape(call: &Call<'_>) -> Option<String> {
    let shape = call.args.iter().find(|(name, _)| *name == Some("shape"));
    let values: Vec<&Value<'_>> = match shape {
        Some((_, Value::List(items))) => items.iter().collect(),
        Some((_, value)) => vec![value],
        None => match call.args.as_slice() {
            [(None, Value::List(items)), ..] => items.iter().collect(),
            args => args
                .iter()
                .filter(|(name, _)| name.is_none())
                .map(|(_, value)| value)
                .collect(),
        },
    };
    let mut extents = Vec::new();
    for value in values {
        match value {
            Value::Number(number) => extents.push(number.parse::<usize>().ok()?),
            _ => return None,
        }
    }
    // Keras has channels last, and pictures have few of them.
    if let [rest @ .., last] = extents.as_slice()
        && *last <= 4
        && !rest.is_empty()
        && rest.iter().all(|extent| extent > last)
    {
        extents.rotate_right(1);
    }
    (!extents.is_empty()).then(|| show(&extents))
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

    #[test]
    fn statements_of_specs_are_not_python() {
        for text in [
            "conv 3x3 16 relu",
            "y = conv 3x3 16",
            "add(a, b)",
            "fire(16, 64)",
            "twin(a)",
            "out: dense 10",
            "w = 4",
            "x = max(3, 4)",
            "relu()",
            "y = relu(x)",
            "s = add(a, b)",
        ] {
            assert!(statement(text).is_none(), "{text}");
        }
    }
}
