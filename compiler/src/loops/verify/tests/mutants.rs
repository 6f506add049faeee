//! Everything that can be changed in a program, changed one at a time.

use crate::id::Id;
use crate::loops::{BufferId, Call, For, Place, Program, Stmt, VarId};
use cnnc_runtime::kernel::Type;

/// A way to change one integer.
const CHANGES: [fn(i64) -> i64; 8] = [
    |n| n + 1,
    |n| n - 1,
    |n| 2 * n,
    |n| n / 2,
    |_| 0,
    |n| -n,
    |n| n + 7,
    |n| n - 16,
];

const HUGE: [fn(i64) -> i64; 5] = [
    |_| i64::MAX,
    |_| i64::MIN,
    |_| 1 << 50,
    |_| -(1 << 50),
    |_| i64::MAX / 2,
];

/// Calls `see` with each mutant and what was changed.
pub fn each(program: &Program, mut see: impl FnMut(&str, &Program)) {
    numbers(program, &CHANGES, &mut see);
    statements(program, &mut see);
    wiring(program, &mut see);
}

/// Mutants with one number of a call that is beyond all bounds.
pub fn each_huge(program: &Program, mut see: impl FnMut(&str, &Program)) {
    let mut index = 0;
    while let Some((what, _)) = nth_number(&mut program.clone(), index, |n| n) {
        let sizes = ["arena", "len", "place", "trip"];
        if !sizes.iter().any(|size| what.starts_with(size)) {
            for change in HUGE {
                let mut mutant = program.clone();
                if let Some((what, true)) = nth_number(&mut mutant, index, change) {
                    see(&what, &mutant);
                }
            }
        }
        index += 1;
    }
}

fn numbers(program: &Program, changes: &[fn(i64) -> i64], see: &mut impl FnMut(&str, &Program)) {
    let mut index = 0;
    while nth_number(&mut program.clone(), index, |n| n).is_some() {
        for &change in changes {
            let mut mutant = program.clone();
            if let Some((what, true)) = nth_number(&mut mutant, index, change) {
                see(&what, &mutant);
            }
        }
        index += 1;
    }
}

/// Changes the number of that index, and says which it is and whether it is another number now.
fn nth_number(
    program: &mut Program,
    mut index: usize,
    change: fn(i64) -> i64,
) -> Option<(String, bool)> {
    let mut found = None;
    each_number(program, &mut |what, old| {
        if index == 0 && found.is_none() {
            let new = change(old);
            found = Some((format!("{what} {old} → {new}"), new != old));
            return new;
        }
        index = index.wrapping_sub(1);
        old
    });
    found
}

/// Replaces every number by what `edit` makes of it.
fn each_number(program: &mut Program, edit: &mut impl FnMut(&str, i64) -> i64) {
    let size = |edit: &mut dyn FnMut(&str, i64) -> i64, what: &str, n: usize| {
        usize::try_from(edit(what, n as i64)).unwrap_or(0)
    };
    program.arena = size(edit, "arena", program.arena);
    let ids: Vec<BufferId> = program.buffers.ids().collect();
    for id in ids {
        let buffer = &mut program.buffers[id];
        buffer.len = size(edit, &format!("len of {id}"), buffer.len);
        if let Place::Arena(at) = &mut buffer.place {
            *at = size(edit, &format!("place of {id}"), *at);
        }
    }
    for section in &mut program.sections {
        each_number_of(&mut section.body, edit);
    }
}

fn each_number_of(body: &mut [Stmt], edit: &mut impl FnMut(&str, i64) -> i64) {
    for stmt in body {
        match stmt {
            Stmt::For(For {
                var, trip, body, ..
            }) => {
                let new = edit(&format!("trip of {var}"), i64::from(*trip));
                *trip = u32::try_from(new).unwrap_or(0);
                each_number_of(body, edit);
            }
            Stmt::Call(Call {
                kernel,
                args,
                consts,
            }) => {
                let signature = kernel.row().signature;
                for (access, arg) in args.iter_mut().zip(signature.args) {
                    let Some(access) = access else { continue };
                    let offset = &mut access.offset;
                    offset.base = edit(&format!("base of {}", arg.name), offset.base);
                    for (var, coefficient) in &mut offset.terms {
                        *coefficient = edit(&format!("{var} of {}", arg.name), *coefficient);
                    }
                }
                for (constant, declared) in consts.iter_mut().zip(signature.constants()) {
                    if !matches!(declared.ty, Type::Float | Type::Double) {
                        *constant = edit(&format!("constant {}", declared.name), *constant);
                    }
                }
            }
        }
    }
}

/// Changes the statement of that index.
type Edit = fn(&mut Vec<Stmt>, usize);

/// Statements left out, swapped with the next, doubled; loops made parallel or serial; sections left out and swapped.
fn statements(program: &Program, see: &mut impl FnMut(&str, &Program)) {
    let edits: [(&str, Edit); 4] = [
        ("left out", |body, index| {
            body.remove(index);
        }),
        ("swapped", |body, index| {
            if index + 1 < body.len() {
                body.swap(index, index + 1);
            }
        }),
        ("doubled", |body, index| {
            body.insert(index, body[index].clone())
        }),
        ("parallel", |body, index| {
            if let Stmt::For(inner) = &mut body[index] {
                inner.parallel = !inner.parallel;
            }
        }),
    ];
    for (what, edit) in edits {
        let mut index = 0;
        loop {
            let (mut mutant, mut left) = (program.clone(), index);
            if !mutant
                .sections
                .iter_mut()
                .any(|section| nth_stmt(&mut section.body, &mut left, &edit))
            {
                break;
            }
            see(&format!("statement {index} {what}"), &mutant);
            index += 1;
        }
    }
    for index in 0..program.sections.len() {
        let mut mutant = program.clone();
        mutant.sections.remove(index);
        see(&format!("section {index} left out"), &mutant);
        let mut mutant = program.clone();
        mutant
            .sections
            .swap(index, (index + 1) % program.sections.len());
        see(&format!("section {index} swapped"), &mutant);
    }
}

/// Edits the statement that is `left` further on; false if there are not so many.
fn nth_stmt(body: &mut Vec<Stmt>, left: &mut usize, edit: &impl Fn(&mut Vec<Stmt>, usize)) -> bool {
    for index in 0..body.len() {
        if *left == 0 {
            edit(body, index);
            return true;
        }
        *left -= 1;
        if let Stmt::For(inner) = &mut body[index]
            && nth_stmt(&mut inner.body, left, edit)
        {
            return true;
        }
    }
    false
}

/// Accesses sent to another buffer, variables renamed, arguments and constants left out.
fn wiring(program: &Program, see: &mut impl FnMut(&str, &Program)) {
    let buffers = program.buffers.len() + 1;
    let vars = program.vars + 1;
    let mut call = 0;
    while nth_call(&mut program.clone(), call, |_| {}) {
        let mut edit = |what: String, edit: &dyn Fn(&mut Call)| {
            let mut mutant = program.clone();
            nth_call(&mut mutant, call, edit);
            see(&format!("call {call}: {what}"), &mutant);
        };
        for arg in 0..5 {
            for buffer in (0..buffers).map(BufferId::new) {
                edit(format!("{buffer} as argument {arg}"), &|call| {
                    if let Some(Some(access)) = call.args.get_mut(arg) {
                        access.buffer = buffer;
                    }
                });
            }
            for var in (0..vars).map(VarId::new) {
                edit(format!("{var} in argument {arg}"), &|call| {
                    if let Some(Some(access)) = call.args.get_mut(arg) {
                        access
                            .offset
                            .terms
                            .iter_mut()
                            .for_each(|(old, _)| *old = var);
                    }
                });
            }
            edit(format!("without argument {arg}"), &|call| {
                if let Some(access) = call.args.get_mut(arg) {
                    *access = None;
                }
            });
        }
        edit("fewer arguments".into(), &|call| {
            call.args.pop();
        });
        edit("fewer constants".into(), &|call| {
            call.consts.pop();
        });
        edit("more constants".into(), &|call| call.consts.push(1));
        edit("no such kernel".into(), &|call| call.kernel.0 = u16::MAX);
        call += 1;
    }
}

fn nth_call(program: &mut Program, mut left: usize, edit: impl Fn(&mut Call)) -> bool {
    fn find(body: &mut [Stmt], left: &mut usize, edit: &impl Fn(&mut Call)) -> bool {
        body.iter_mut().any(|stmt| match stmt {
            Stmt::For(inner) => find(&mut inner.body, left, edit),
            Stmt::Call(call) if *left == 0 => {
                edit(call);
                true
            }
            Stmt::Call(_) => {
                *left -= 1;
                false
            }
        })
    }
    let mut sections = program.sections.iter_mut();
    sections.any(|section| find(&mut section.body, &mut left, &edit))
}
