//! Blocks within blocks: what stands in groups becomes a call, too, and so does what lies beside an identity.
//!
//! ```text
//! a: residual {                       block stage(w) {
//!   x: conv 1x1 64 relu                 x: conv 1x1 w relu
//!   y: conv 3x3 64               ──▶    y: conv 3x3 w
//! }                                   }
//! b: { x: … ; y: … }                  a: residual { stage(64) }
//!                                     b: stage(128)
//! ```

use super::blocks::{Block, calls};
use super::label::Labels;
use super::lines::Writer;
use super::net::{Net, Op};
use super::tree::{Form, Item};

/// Most times that calls are looked for.
const ROUNDS: usize = 16;

/// How many groups stand within one another in one that becomes a call, at most.
const HEIGHT: usize = 4;

/// Replaces groups of the same shape by calls, wherever they stand.
pub(super) fn extract(
    writer: &Writer<'_>,
    mut items: Vec<Item>,
    taken: &mut Labels,
) -> (Vec<Block>, Vec<Item>) {
    wrap(writer.net, &mut items);
    let mut blocks = Vec::new();
    let mut tall = 0;
    for _ in 0..ROUNDS {
        let mut groups = Vec::new();
        visit(&mut items, None, &mut |item, prefix| {
            if height(item) == Some(tall) {
                groups
                    .push(Some(writer.lines(item, prefix)).filter(|lines| !is_short(item, lines)));
            }
        });
        let (more, found) = calls(&groups, true, taken);
        blocks.extend(more);
        let some = found.iter().any(Option::is_some);
        let mut found = found.into_iter();
        visit(&mut items, None, &mut |item, _| {
            if height(item) == Some(tall)
                && let Some(Some(call)) = found.next()
            {
                item.becomes(call);
            }
        });
        // What stands around calls is lower now.
        tall = if some { 0 } else { tall + 1 };
        if tall > HEIGHT {
            break;
        }
    }
    unwrap(&mut items);
    let mut all = Vec::new();
    for mut item in items {
        if matches!(item.form, Form::Group(..)) {
            let lines = writer.lines(&item, item.label.as_deref());
            if is_short(&item, &lines) {
                item.becomes(lines[0].clone());
            }
        }
        match item.form {
            Form::Scope(items) => all.extend(items),
            form => all.push(Item { form, ..item }),
        }
    }
    (blocks, all)
}

/// Whether a group is a call and what it takes to make it one line.
fn is_short(item: &Item, lines: &[String]) -> bool {
    let call = |item: &Item| matches!(item.form, Form::Text(..));
    match &item.form {
        Form::Group(paths, _) => lines.len() == 1 && paths.iter().flatten().any(call),
        _ => false,
    }
}

/// How many groups stand within one another in a group; none for what is no group.
fn height(item: &Item) -> Option<usize> {
    let most = |items: &mut dyn Iterator<Item = &Item>| {
        items
            .filter_map(height)
            .map(|height| height + 1)
            .max()
            .unwrap_or(0)
    };
    match &item.form {
        Form::Group(paths, _) => Some(most(&mut paths.iter().flatten())),
        Form::Scope(items) => Some(most(&mut items.iter())),
        Form::Chain(..) | Form::Text(..) => None,
    }
}

/// Every statement with what its labels begin with, groups before what they hold.
fn visit(items: &mut [Item], prefix: Option<&str>, f: &mut dyn FnMut(&mut Item, Option<&str>)) {
    for item in items {
        let label = item.label.clone();
        let prefix = label.as_deref().or(prefix);
        f(item, prefix);
        match &mut item.form {
            Form::Group(paths, _) => {
                for path in paths {
                    visit(path, prefix, f);
                }
            }
            Form::Scope(items) => visit(items, prefix, f),
            Form::Chain(..) | Form::Text(..) => {}
        }
    }
}

/// Paths of sums as scopes, since what lies beside an identity may stand elsewhere without one.
fn wrap(net: &Net, items: &mut [Item]) {
    visit(items, None, &mut |item, _| {
        let Form::Group(paths, ids) = &mut item.form else {
            return;
        };
        if net.op(ids[0]) != Some(&Op::Word("add")) {
            return;
        }
        for path in paths.iter_mut().filter(|path| path.len() > 1) {
            let (needs, value) = (path[0].needs.clone(), path[path.len() - 1].value);
            let items = std::mem::take(path);
            path.push(Item {
                label: None,
                needs,
                value,
                form: Form::Scope(items),
            });
        }
    });
}

/// Undoes scopes within groups of which nothing came.
fn unwrap(items: &mut [Item]) {
    visit(items, None, &mut |item, _| {
        let Form::Group(paths, _) = &mut item.form else {
            return;
        };
        for path in paths {
            if let [only] = &mut path[..]
                && let Form::Scope(items) = &mut only.form
            {
                let items = std::mem::take(items);
                *path = items;
            }
        }
    });
}
