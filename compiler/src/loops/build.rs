//! Writing statements: loops that are open, and calls inside.

use super::{Affine, Call, For, Stmt, VarId};
use crate::id::Id;

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

    /// The statements so far, which are taken.
    pub fn take(&mut self) -> Vec<Stmt> {
        std::mem::take(&mut self.open[0])
    }
}
