//! Writing statements: loops that are open, and calls inside.

use super::{Affine, Call, For, Stmt, VarId};
use crate::id::Id;
use std::collections::HashMap;

/// The statements of a section while they are written, and the variables of all of them.
#[derive(Debug)]
pub struct Builder {
    /// Bodies of the loops being built, innermost last; the first is the section's.
    open: Vec<Vec<Stmt>>,
    vars: usize,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder {
            open: vec![Vec::new()],
            vars: 0,
        }
    }
}

impl Builder {
    /// Number of variables so far.
    pub fn vars(&self) -> usize {
        self.vars
    }

    /// Whether no loop is open.
    pub fn outermost(&self) -> bool {
        self.open.len() == 1
    }

    /// Adds a call.
    pub fn call(&mut self, call: Call) {
        let innermost = self.open.last_mut().expect("a section is open");
        innermost.push(Stmt::Call(call));
    }

    /// Adds statements in front of the outermost loop that is open.
    pub fn before(&mut self, stmts: Vec<Stmt>) {
        self.open[0].extend(stmts);
    }

    /// Opens a loop; [`Builder::end`] closes it.
    pub fn begin(&mut self) -> VarId {
        let var = VarId::new(self.vars);
        self.vars += 1;
        self.open.push(Vec::new());
        var
    }

    /// Closes the loop that was opened last. One that does nothing is left out.
    pub fn end(&mut self, var: VarId, trip: usize, parallel: bool) {
        let body = self.open.pop().expect("a loop is open");
        if trip > 0 && !body.is_empty() {
            let innermost = self.open.last_mut().expect("a section is open");
            innermost.push(Stmt::For(For {
                var,
                trip: trip as u32,
                parallel,
                body,
            }));
        }
    }

    /// A loop whose iterations may run at once, if it is the outermost one. The body gets its variable (zero, without a loop, when
    /// `trip` is 1).
    pub fn parallel(&mut self, trip: usize, body: impl FnOnce(&mut Builder, Affine)) {
        if trip == 1 {
            return body(self, Affine::default());
        }
        let parallel = self.outermost();
        let var = self.begin();
        body(self, Affine::default().plus(var, 1));
        self.end(var, trip, parallel);
    }

    /// Begins statements that are written apart from those of the section, which come back.
    pub fn set_aside(&mut self) -> Vec<Vec<Stmt>> {
        std::mem::replace(&mut self.open, vec![Vec::new()])
    }

    /// Ends what was written apart, and goes on with the section.
    pub fn resume(&mut self, section: Vec<Vec<Stmt>>) -> Vec<Stmt> {
        let written = self.take();
        self.open = section;
        written
    }

    /// Adds statements that have been taken.
    pub fn put(&mut self, stmts: Vec<Stmt>) {
        let innermost = self.open.last_mut().expect("a section is open");
        innermost.extend(stmts);
    }

    /// A copy of statements, with loops of its own.
    pub fn copied(&mut self, stmts: &[Stmt]) -> Vec<Stmt> {
        let mut names: HashMap<VarId, VarId> = HashMap::new();
        stmts
            .iter()
            .map(|stmt| self.copy(stmt, &mut names))
            .collect()
    }

    fn copy(&mut self, stmt: &Stmt, names: &mut HashMap<VarId, VarId>) -> Stmt {
        match stmt {
            Stmt::For(inner) => {
                let var = VarId::new(self.vars);
                self.vars += 1;
                names.insert(inner.var, var);
                Stmt::For(For {
                    var,
                    body: inner
                        .body
                        .iter()
                        .map(|stmt| self.copy(stmt, names))
                        .collect(),
                    ..*inner
                })
            }
            Stmt::Call(call) => {
                let mut call = call.clone();
                for access in call.args.iter_mut().flatten() {
                    for (var, _) in &mut access.offset.terms {
                        *var = names.get(var).copied().unwrap_or(*var);
                    }
                }
                Stmt::Call(call)
            }
        }
    }

    /// The statements so far, which are taken.
    pub fn take(&mut self) -> Vec<Stmt> {
        std::mem::take(&mut self.open[0])
    }
}
