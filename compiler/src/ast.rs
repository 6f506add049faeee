//! The syntax tree: what a file says, before any word of it is understood.
//!
//! Everything keeps its [`Span`]. Depth is bounded (the parser refuses deep nesting and long
//! expressions), so plain recursion over the tree is safe.

use crate::span::Span;
use std::collections::HashSet;

/// A thing with the place where it is written.
pub use crate::args::Spanned;

/// A word and its place.
pub type Name = Spanned<String>;

/// A source file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// `cnn 1`
    pub edition: Option<Spanned<String>>,
    /// `import "…"`
    pub imports: Vec<Name>,
    /// `preset name { … }`
    pub presets: Vec<Preset>,
    /// `let name = value`
    pub constants: Vec<Constant>,
    /// `block name(params) { … }`
    pub blocks: Vec<Block>,
    /// `model Name { … }`
    pub models: Vec<Model>,
    /// Names that statements would have made that do not parse: what uses them is no mistake of its own.
    pub lost: HashSet<String>,
}

/// A named collection of defaults.
#[derive(Clone, Debug)]
pub struct Preset {
    /// Its name.
    pub name: Name,
    /// `name value` or `layer.name value`, flat.
    pub settings: Vec<Term>,
    /// Doc comment.
    pub doc: String,
}

/// A name for a value: `let name = value`.
#[derive(Clone, Debug)]
pub struct Constant {
    /// The name.
    pub name: Name,
    /// What it stands for.
    pub value: Expr,
}

/// A parametrised piece of network.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its name.
    pub name: Name,
    /// Names of its parameters.
    pub params: Vec<Name>,
    /// Its statements.
    pub body: Body,
    /// Doc comment.
    pub doc: String,
}

/// A network.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name.
    pub name: Name,
    /// Its statements.
    pub body: Body,
    /// Doc comment.
    pub doc: String,
}

/// Statements in braces.
#[derive(Clone, Debug)]
pub struct Body {
    /// The statements.
    pub statements: Vec<Statement>,
    /// The braces and all between them.
    pub span: Span,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its label.
    pub label: Option<Label>,
    /// What it says.
    pub kind: StatementKind,
    /// All of it.
    pub span: Span,
}

/// `features.3:`, `layer{i+1}.{j}:`
#[derive(Clone, Debug)]
pub struct Label {
    /// Text and expressions in turn.
    pub parts: Vec<LabelPart>,
    /// Without the colon.
    pub span: Span,
}

/// A piece of a label.
#[derive(Clone, Debug)]
pub enum LabelPart {
    /// As it stands.
    Text(String),
    /// `{i+1}`
    Expr(Expr),
}

/// What a statement says.
#[derive(Clone, Debug)]
pub enum StatementKind {
    /// Layers and calls behind one another; also `labels [...]` and the keys of a head.
    Chain(Vec<Term>),
    /// `{ … }`
    Group(Body),
    /// `repeat n as j { … }`
    Repeat {
        /// How often.
        count: Expr,
        /// Counts from 0.
        var: Option<Name>,
        /// What.
        body: Body,
    },
    /// `for i, (w, n) in [...] { … }`
    For {
        /// Counts from 0.
        index: Option<Name>,
        /// Takes each item.
        binding: Binding,
        /// The items.
        items: Expr,
        /// What.
        body: Body,
    },
    /// `if a { … } else if b { … } else { … }`
    If {
        /// Conditions and what follows from them.
        arms: Vec<(Expr, Body)>,
        /// If none holds.
        otherwise: Option<Body>,
    },
    /// `input a, b: 1x105x105 { … }`
    Input {
        /// Names.
        names: Vec<Name>,
        /// The shape of each.
        shape: Expr,
        /// Pre-processing.
        settings: Vec<Term>,
    },
    /// `defaults preset { pad half }`
    Defaults {
        /// A preset to start from.
        preset: Option<Name>,
        /// `name value` or `layer.name value`, flat.
        settings: Vec<Term>,
    },
    /// `let w = 4`
    Let(Constant),
    /// `shared twin(a, b) { … }`
    Shared {
        /// Its name.
        name: Name,
        /// Names of its operands.
        params: Vec<Name>,
        /// Its statements.
        body: Body,
    },
    /// `tap a, b`
    Tap(Vec<Name>),
    /// `head classify { … }`
    Head {
        /// Which.
        name: Name,
        /// Keys and network statements.
        body: Option<Body>,
    },
    /// `weights torchvision`, `weights map { "a" -> "b" }`
    Weights {
        /// The rule.
        rule: Name,
        /// Name in the file, label.
        map: Vec<(Name, Name)>,
    },
    /// `expect { params 61_706 }`
    Expect(Vec<Term>),
    /// `train { batch 64 rate 0.1 { warmup 1 } }`
    Train(Vec<Clause>),
    /// What does not parse.
    Error,
}

/// A line of a `train` section: one clause or more behind one another.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Words and values.
    pub terms: Vec<Term>,
    /// What stands in braces behind them.
    pub settings: Option<Vec<Term>>,
    /// All of it.
    pub span: Span,
}

/// What an item of a `for` is bound to.
#[derive(Clone, Debug)]
pub enum Binding {
    /// `w`
    One(Name),
    /// `(w, n, s)`
    Tuple(Vec<Name>, Span),
}

/// A word or value of a chain.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it is.
    pub kind: TermKind,
    /// Where it is.
    pub span: Span,
}

/// What stands in a chain.
#[derive(Clone, Debug)]
pub enum TermKind {
    /// A layer, block, tensor, parameter or variable.
    Word(String),
    /// `name(arguments)`
    Call(Name, Vec<Expr>),
    /// A constant.
    Value(Expr),
    /// `/2`, `/2x1`, `/s`
    Stride(Expr),
    /// `+`, `-` or `*` between tensors.
    Operator(char),
    /// `branch add { … }`, `add { … }`
    Branch {
        /// The layer that joins; `concat` if absent.
        join: Option<Join>,
        /// A branch each.
        body: Body,
    },
    /// `residual { … } shortcut auto { … }`
    Residual {
        /// The layer that joins; `add` if absent.
        join: Option<Join>,
        /// The main path.
        body: Body,
        /// The other path.
        shortcut: Shortcut,
    },
    /// `route name`
    Route(Name),
    /// `if a { … } else { … }` between other elements
    If {
        /// Conditions and what follows from them.
        arms: Vec<(Expr, Body)>,
        /// If none holds.
        otherwise: Option<Body>,
    },
}

/// The layer that joins paths.
#[derive(Clone, Debug)]
pub struct Join {
    /// Its keyword.
    pub layer: Name,
    /// What is written behind it: `axis 1`.
    pub terms: Vec<Term>,
}

/// The other path of a residual.
#[derive(Clone, Debug)]
pub enum Shortcut {
    /// The input as it is.
    Identity,
    /// The input where shapes agree, otherwise the statements.
    Auto(Body),
    /// The statements.
    Body(Body),
    /// Some other word.
    Unknown(Name),
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

/// What an expression says.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `61_706`
    Int(i64),
    /// `1e-5`
    Float(f64),
    /// `"coco.txt"`
    Str(String),
    /// `3x224x224`
    Dims(Vec<Expr>),
    /// `[1, 2]`, `(1, 2)`
    List(Vec<Expr>),
    /// A variable, a tensor or a plain word.
    Name(String),
    /// `max(a, b)`, `twin(a)`
    Call(Name, Vec<Expr>),
    /// `-a`, `not a`
    Prefix(Prefix, Box<Expr>),
    /// `a + b`
    Infix(Infix, Box<Expr>, Box<Expr>),
    /// `a[i]`
    Index(Box<Expr>, Box<Expr>),
    /// `if a { b } else { c }`
    If {
        /// Conditions and what follows from them.
        arms: Vec<(Expr, Expr)>,
        /// If none holds.
        otherwise: Box<Expr>,
    },
    /// `leaky 0.1`, `conv 3x3 8 bn relu`: a chain as a value
    Chain(Vec<Term>),
    /// What has been complained about.
    Error,
}

/// An operator before its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// `-`
    Minus,
    /// `not`
    Not,
}

/// An operator between its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Infix {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Infix {
    /// Every operator as it is written, with its precedence: a higher one binds closer.
    pub const ALL: [(&'static str, Infix, u8); 13] = [
        ("or", Infix::Or, 1),
        ("and", Infix::And, 2),
        ("==", Infix::Equal, 4),
        ("!=", Infix::Unequal, 4),
        ("<=", Infix::LessEqual, 4),
        (">=", Infix::GreaterEqual, 4),
        ("<", Infix::Less, 4),
        (">", Infix::Greater, 4),
        ("+", Infix::Add, 5),
        ("-", Infix::Subtract, 5),
        ("*", Infix::Multiply, 6),
        ("/", Infix::Divide, 6),
        ("%", Infix::Remainder, 6),
    ];
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        Infix::ALL[self.row()].0
    }
    /// How close it binds; `not` is 3, a minus sign 7.
    pub fn precedence(self) -> u8 {
        Infix::ALL[self.row()].2
    }
    fn row(self) -> usize {
        Infix::ALL
            .iter()
            .position(|&(_, op, _)| op == self)
            .unwrap_or_default()
    }
}
