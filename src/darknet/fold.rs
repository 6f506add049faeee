//! Recognises what a `.cfg` spells out: residuals, and stretches that stand there several times.
//!
//! Nothing is moved. Weights without names are read in the order of the text, so a structure is recognised only where the text
//! that it unfolds to is the layers in their order.

use super::network::Network;
use super::node::{Layer, Value, What};
use std::collections::{HashMap, HashSet};

/// A line of the spec, or several.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// The tensor that it makes.
    pub value: Value,
    /// The tensor that it goes on from; none where it names its operands itself.
    pub input: Option<Value>,
    /// What a label begins with.
    pub kind: &'static str,
    /// Darknet's number of the layer: what a label ends with.
    pub number: usize,
    /// Line of the section that it comes of.
    pub line: usize,
    /// Whether it has weights of its own.
    pub weights: bool,
    pub form: Form,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Layers, a line each.
    Chain(Vec<String>),
    /// A layer on named tensors, and what follows.
    Join {
        word: &'static str,
        operands: Vec<Value>,
        then: String,
    },
    /// A path that is added to its own input, and what follows.
    Residual { body: Vec<Statement>, then: String },
    /// A block that stands for a residual.
    Call(String),
    /// The same, several times over.
    Repeat { count: usize, body: Vec<Statement> },
}

/// Lines that a repetition must save.
const WORTH: usize = 3;
/// Longest stretch that is looked for.
const LONGEST: usize = 12;
/// Residuals within one another.
const DEEPEST: usize = 4;

/// The statements of a network.
pub(super) fn fold(network: &Network) -> Vec<Statement> {
    let mut readers: HashMap<Value, usize> = HashMap::new();
    let read = network
        .layers
        .iter()
        .flat_map(|layer| &layer.inputs)
        .chain(network.head.maps())
        .chain(&network.unread);
    for &value in read {
        *readers.entry(value).or_default() += 1;
    }
    let mut statements = Vec::new();
    for layer in &network.layers {
        let statement = match residual(layer, &mut statements, &readers) {
            Some(statement) => statement,
            None => plain(layer),
        };
        statements.push(statement);
    }
    let mut named = references(&statements);
    named.extend(network.head.maps());
    named.extend(&network.unread);
    repeats(statements, &named)
}

fn plain(layer: &Layer) -> Statement {
    let (input, form) = match &layer.what {
        What::Chain(lines) => (Some(layer.inputs[0]), Form::Chain(lines.clone())),
        What::Join { word, then } => {
            let operands = layer.inputs.clone();
            (
                None,
                Form::Join {
                    word,
                    operands,
                    then: then.clone(),
                },
            )
        }
    };
    Statement {
        value: layer.value,
        input,
        kind: layer.kind,
        number: layer.number,
        line: layer.line,
        weights: layer.weights,
        form,
    }
}

/// A sum of the last statement and of one before it, where what stands between is a path that nobody else reads from.
fn residual(
    layer: &Layer,
    statements: &mut Vec<Statement>,
    readers: &HashMap<Value, usize>,
) -> Option<Statement> {
    let What::Join { word: "add", then } = &layer.what else {
        return None;
    };
    if layer.weights {
        return None;
    }
    let &[last, start] = &layer.inputs[..] else {
        return None;
    };
    if statements.last()?.value != last || last == start {
        return None;
    }
    // Back along the path.
    let mut first = statements.len() - 1;
    while statements[first].input != Some(start) {
        let input = statements[first].input?;
        first = first.checked_sub(1)?;
        if statements[first].value != input {
            return None;
        }
    }
    // Each tensor of the path is read by the next statement only, which a residual reads twice (path and shortcut).
    let reads = |statement: &Statement| match statement.form {
        Form::Residual { .. } => 2,
        _ => 1,
    };
    let path = &statements[first..];
    let inside = path.iter().zip(path.iter().skip(1));
    let closed = inside
        .clone()
        .all(|(made, next)| readers.get(&made.value) == Some(&reads(next)));
    let depth = path.iter().map(depth).max().unwrap_or(0);
    if !closed || readers.get(&last) != Some(&1) || depth >= DEEPEST {
        return None;
    }
    let body = statements.split_off(first);
    let form = Form::Residual {
        body,
        then: then.clone(),
    };
    Some(Statement {
        value: layer.value,
        input: Some(start),
        kind: layer.kind,
        number: layer.number,
        line: layer.line,
        weights: false,
        form,
    })
}

/// Tensors that are named: operands of joins, and what a statement goes on from that does not stand right before it.
pub(super) fn references(statements: &[Statement]) -> HashSet<Value> {
    let mut named = HashSet::new();
    let mut current = 0;
    for statement in statements {
        match (&statement.form, statement.input) {
            (Form::Join { operands, .. }, _) => named.extend(operands),
            (_, Some(input)) if input != current => {
                named.insert(input);
            }
            _ => {}
        }
        current = statement.value;
    }
    named
}

/// Puts what stands several times in a row into `repeat`.
fn repeats(statements: Vec<Statement>, named: &HashSet<Value>) -> Vec<Statement> {
    let mut folded: Vec<Statement> = Vec::new();
    let mut at = 0;
    while at < statements.len() {
        let rest = &statements[at..];
        let mut best: (usize, usize, usize) = (0, 1, 1);
        for period in 1..=LONGEST.min(rest.len() / 2) {
            let count = times(rest, period, named);
            let lines: usize = rest[..period].iter().map(lines).sum();
            let saved = lines * (count - 1);
            // Of stretches that save as much, the shortest.
            if count > 1 && saved > best.0 {
                best = (saved, period, count);
            }
        }
        let (saved, period, count) = best;
        if saved < WORTH {
            folded.push(rest[0].clone());
            at += 1;
            continue;
        }
        folded.push(Statement {
            value: rest[period * count - 1].value,
            input: rest[0].input,
            kind: "stage",
            number: rest[0].number,
            line: rest[0].line,
            weights: false,
            form: Form::Repeat {
                count,
                body: rest[..period].to_vec(),
            },
        });
        at += period * count;
    }
    folded
}

/// How often the first `period` statements stand there in a row; at least once.
fn times(statements: &[Statement], period: usize, named: &HashSet<Value>) -> usize {
    let follows =
        |index: usize| index == 0 || statements[index].input == Some(statements[index - 1].value);
    let mut count = 1;
    // Only the last tensor of all may be named: it is called as the whole stretch.
    let mut inside = 0..period - 1;
    loop {
        let closed = inside
            .clone()
            .all(|index| !named.contains(&statements[index].value));
        let first = (count - 1) * period;
        let chained = (first..first + period)
            .all(|index| follows(index) && statements[index].input.is_some());
        if !closed || !chained {
            return (count - 1).max(1);
        }
        let next = count * period;
        if next + period > statements.len()
            || !(0..period).all(|index| same(&statements[index], &statements[next + index]))
        {
            return count;
        }
        inside = next - 1..next + period - 1;
        count += 1;
    }
}

fn same(a: &Statement, b: &Statement) -> bool {
    match (&a.form, &b.form) {
        (Form::Chain(a), Form::Chain(b)) => a == b,
        (Form::Residual { body: a, then: x }, Form::Residual { body: b, then: y }) => {
            x == y && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ => false,
    }
}

/// Residuals within one another.
fn depth(statement: &Statement) -> usize {
    match &statement.form {
        Form::Residual { body, .. } => 1 + body.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Lines that a statement takes.
fn lines(statement: &Statement) -> usize {
    match &statement.form {
        Form::Chain(lines) => lines.len(),
        Form::Join { .. } | Form::Call(_) => 1,
        Form::Residual { body, .. } | Form::Repeat { body, .. } => {
            2 + body.iter().map(lines).sum::<usize>()
        }
    }
}
