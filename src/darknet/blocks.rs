//! Residuals that differ in their numbers only become calls of a block.
//!
//! ```text
//! residual { conv 1x1 64 bn leaky         block unit(w) {
//!            conv 3x3 128 bn leaky }        residual { conv 1x1 w bn leaky
//! residual { conv 1x1 128 bn leaky   ──▶               conv 3x3 (2*w) bn leaky }
//!            conv 3x3 256 bn leaky }      }                              unit(64) … unit(128)
//! ```

use super::fold::{Form, Statement};
use std::collections::BTreeMap;

/// A block of the spec: a residual.
#[derive(Debug)]
pub(super) struct Block {
    pub name: String,
    pub params: Vec<&'static str>,
    /// What stands in it, and which line of the `.cfg` it comes of, at its first use.
    pub lines: Vec<(String, usize)>,
    pub then: String,
    /// Line of the `.cfg` of the sum.
    pub line: usize,
}

/// What parameters are called.
const NAMES: [&str; 3] = ["w", "v", "u"];

/// A residual's text with its numbers taken out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    /// Words of each line; a number is an index into `numbers`.
    lines: Vec<Vec<Word>>,
    then: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Text(String),
    Number(usize),
}

/// Takes the text of a residual apart: its shape, and the different numbers in it in the order of their first use.
fn shape(body: &[Statement], then: &str) -> Option<(Shape, Vec<u64>)> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut lines = Vec::new();
    for statement in body {
        let Form::Chain(chain) = &statement.form else {
            return None;
        };
        for line in chain {
            let word = |word: &str| match word.parse::<u64>() {
                Err(_) => Word::Text(word.to_owned()),
                Ok(number) => {
                    let known = numbers.iter().position(|&known| known == number);
                    Word::Number(known.unwrap_or_else(|| {
                        numbers.push(number);
                        numbers.len() - 1
                    }))
                }
            };
            lines.push(line.split(' ').map(word).collect());
        }
    }
    let then = then.to_owned();
    Some((Shape { lines, then }, numbers))
}

/// For each line of a body, the line of the `.cfg` that it comes of.
fn lines(body: &[Statement]) -> Vec<usize> {
    let lines = body.iter().flat_map(|statement| {
        let count = match &statement.form {
            Form::Chain(chain) => chain.len(),
            _ => 1,
        };
        std::iter::repeat_n(statement.line, count)
    });
    lines.collect()
}

/// Calls `visit` on every residual that is not part of another.
fn residuals(statements: &mut [Statement], visit: &mut impl FnMut(&mut Statement)) {
    for statement in statements {
        match &mut statement.form {
            Form::Residual { .. } => visit(statement),
            Form::Repeat { body, .. } => residuals(body, visit),
            _ => {}
        }
    }
}

/// How the numbers of one shape are written: all of them follow from few.
struct Plan {
    /// Which numbers are parameters.
    params: Vec<usize>,
    /// Each number as text.
    texts: Vec<String>,
}

/// `sites` are the numbers of every residual of the shape; nothing where they are all the same, or more than there are names.
fn plan(sites: &[Vec<u64>]) -> Option<Plan> {
    let first = &sites[0];
    let varies = |index: usize| sites.iter().any(|site| site[index] != first[index]);
    // The smallest first, so that others are multiples of it.
    let mut order: Vec<usize> = (0..first.len()).filter(|&index| varies(index)).collect();
    order.sort_by_key(|&index| first[index]);
    let mut params: Vec<usize> = Vec::new();
    // Number, the parameter that it is a multiple of, how many times.
    let mut multiples: Vec<(usize, usize, u64)> = Vec::new();
    for index in order {
        let factor = |param: usize| {
            let factor = first[index].checked_div(first[param])?;
            let holds = |site: &Vec<u64>| site[param].checked_mul(factor) == Some(site[index]);
            (factor > 1 && sites.iter().all(holds)).then_some((index, param, factor))
        };
        match params.iter().find_map(|&param| factor(param)) {
            Some(multiple) => multiples.push(multiple),
            None if params.len() == NAMES.len() => return None,
            None => params.push(index),
        }
    }
    if params.is_empty() {
        return None;
    }
    // In the order of their first use.
    params.sort_unstable();
    let mut texts: Vec<String> = first.iter().map(u64::to_string).collect();
    for (&param, name) in params.iter().zip(NAMES) {
        texts[param] = name.to_owned();
    }
    for (index, param, factor) in multiples {
        texts[index] = format!("({factor}*{})", texts[param]);
    }
    Some(Plan { params, texts })
}

/// Replaces residuals by calls of blocks.
pub(super) fn extract(statements: &mut [Statement]) -> Vec<Block> {
    let mut sites: BTreeMap<Shape, Vec<Vec<u64>>> = BTreeMap::new();
    // In the order of their first use, with the lines of the `.cfg` there.
    let mut shapes: Vec<(Shape, Vec<usize>, usize)> = Vec::new();
    residuals(statements, &mut |statement| {
        if let Form::Residual { body, then } = &statement.form
            && let Some((shape, numbers)) = shape(body, then)
        {
            if !sites.contains_key(&shape) {
                shapes.push((shape.clone(), lines(body), statement.line));
            }
            sites.entry(shape).or_default().push(numbers);
        }
    });
    let mut blocks = Vec::new();
    let mut plans: BTreeMap<Shape, (usize, Plan)> = BTreeMap::new();
    for (shape, origins, line) in shapes {
        let Some(plan) = plan(&sites[&shape]) else {
            continue;
        };
        let word = |word: &Word| match word {
            Word::Text(text) => text.clone(),
            Word::Number(index) => plan.texts[*index].clone(),
        };
        let text = |line: &Vec<Word>| line.iter().map(word).collect::<Vec<_>>().join(" ");
        blocks.push(Block {
            name: match blocks.len() {
                0 => "unit".to_owned(),
                more => format!("unit{}", more + 1),
            },
            params: NAMES[..plan.params.len()].to_vec(),
            lines: shape.lines.iter().map(text).zip(origins).collect(),
            then: shape.then.clone(),
            line,
        });
        plans.insert(shape, (blocks.len() - 1, plan));
    }
    residuals(statements, &mut |statement| {
        if let Form::Residual { body, then } = &statement.form
            && let Some((shape, numbers)) = shape(body, then)
            && let Some((block, plan)) = plans.get(&shape)
        {
            let arguments: Vec<String> = plan
                .params
                .iter()
                .map(|&index| numbers[index].to_string())
                .collect();
            let call = format!("{}({})", blocks[*block].name, arguments.join(", "));
            statement.form = Form::Call(call);
        }
    });
    blocks
}
