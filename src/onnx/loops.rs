//! Equal calls in a row become a loop, where nothing names what is between them.

use super::net::{Id, Net};
use super::tree::{Form, Item};
use std::collections::HashSet;

/// Where a label has a number that is one more than in the label before: what stands before and behind it.
fn counted(before: &str, label: &str) -> Option<(String, u64, String)> {
    let (a, b): (Vec<&str>, Vec<&str>) = (before.split('.').collect(), label.split('.').collect());
    if a.len() != b.len() {
        return None;
    }
    let mut differ = (0..a.len()).filter(|&at| a[at] != b[at]);
    let at = differ.next()?;
    if differ.next().is_some() {
        return None;
    }
    let digits =
        |text: &str| text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (word_a, number_a) = a[at].split_at(a[at].len() - digits(a[at]));
    let (word_b, number_b) = b[at].split_at(b[at].len() - digits(b[at]));
    let from: u64 = number_a.parse().ok()?;
    let plain = from.to_string() == number_a && word_a == word_b;
    if !plain || number_b.parse() != Ok(from + 1) {
        return None;
    }
    let start: String = a[..at].iter().map(|part| format!("{part}.")).collect();
    let end: String = a[at + 1..].iter().map(|part| format!(".{part}")).collect();
    Some((format!("{start}{word_a}"), from, end))
}

/// Equal calls in a row as loops; `referred` are tensors that something names.
pub(super) fn repeats(items: Vec<Item>, referred: &HashSet<Id>) -> Vec<Item> {
    let mut all: Vec<Item> = Vec::new();
    let mut at = 0;
    while at < items.len() {
        let text = |item: &Item| match &item.form {
            Form::Text(text, _) => Some(text.clone()),
            _ => None,
        };
        let own = text(&items[at]);
        let free = |item: &Item| !referred.contains(&item.value);
        let mut end = at + 1;
        let mut place: Option<(String, u64, String)> = None;
        if own.is_some() && free(&items[at]) {
            while end < items.len()
                && text(&items[end]) == own
                && items[end].needs == [items[end - 1].value]
                && free(&items[end])
            {
                match (&items[end - 1].label, &items[end].label) {
                    (None, None) => {}
                    (Some(before), Some(label)) => {
                        let Some(found) = counted(before, label) else {
                            break;
                        };
                        match &place {
                            None => place = Some(found),
                            Some((start, _, rest)) if *start == found.0 && *rest == found.2 => {}
                            Some(_) => break,
                        }
                    }
                    _ => break,
                }
                end += 1;
            }
        }
        let n = end - at;
        if n < 2 {
            all.push(items[at].clone());
            at += 1;
            continue;
        }
        let call = own.unwrap_or_default();
        let text = match place {
            None => format!("repeat {n} {{ {call} }}"),
            Some((start, 0, rest)) => format!("repeat {n} as j {{ {start}{{j}}{rest}: {call} }}"),
            Some((start, from, rest)) => {
                format!("repeat {n} as j {{ {start}{{j+{from}}}{rest}: {call} }}")
            }
        };
        let mut layers = Vec::new();
        items[at..end]
            .iter()
            .for_each(|item| item.layers(&mut layers));
        all.push(Item {
            label: None,
            needs: items[at].needs.clone(),
            value: items[end - 1].value,
            form: Form::Text(text, layers),
        });
        at = end;
    }
    all
}

/// Tensors that are named: operands that are not the value so far, and what is given out besides the last.
pub(super) fn referred(net: &Net, items: &[Item], inputs: &[Id], outputs: &[Id]) -> HashSet<Id> {
    let mut all = HashSet::new();
    let mut current = match inputs {
        &[only] => Some(only),
        _ => None,
    };
    for item in items {
        let joined = match &item.form {
            Form::Chain(ids, _) => net.values[ids[0]]
                .layer
                .as_ref()
                .is_some_and(|layer| layer.operands.len() > 1),
            _ => false,
        };
        if joined || item.needs.len() != 1 || current != item.needs.first().copied() {
            all.extend(item.needs.iter().copied());
        }
        current = Some(item.value);
    }
    all.extend(outputs.iter().copied().filter(|&id| current != Some(id)));
    all
}
