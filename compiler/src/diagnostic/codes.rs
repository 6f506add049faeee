//! Every kind of diagnostic, with its explanation: what `cnnc explain CODE` prints.

use super::Severity;
use std::fmt;

/// What is known of a code.
#[derive(Debug)]
pub struct Info {
    /// `E0201`, `W0101`
    pub id: &'static str,
    /// A few words.
    pub title: &'static str,
    /// Why it is a mistake, and what to do.
    pub explanation: &'static str,
}

/// A kind of diagnostic.
#[derive(Clone, Copy)]
pub struct Code(&'static Info);

impl Code {
    /// `E0201`
    pub fn id(self) -> &'static str {
        self.0.id
    }
    /// All that is known of it.
    pub fn info(self) -> &'static Info {
        self.0
    }
    /// Codes with W warn.
    pub fn severity(self) -> Severity {
        if self.0.id.starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }
    /// The code of that id, in any case of letters.
    pub fn find(id: &str) -> Option<Code> {
        ALL.iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(id))
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Code {}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explanation:literal)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code(&Info { id: $id, title: $title, explanation: $explanation });
        )*
        /// Every code, in order.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    SYNTAX "E0101" "text that is no statement"
        "The text does not follow the grammar at the marked place. A statement is `label: layer values… layer values…` on \
         one line; it may run on inside brackets. The rest of the file is checked as if the statement were not there."
    BRACKET "E0102" "bracket without its partner"
        "Every `{`, `(` and `[` needs its `}`, `)` or `]`. Brackets in comments and strings do not count."
    STRING "E0103" "string without its end"
        "A string begins and ends with `\"` on the same line. There are no escapes."
    EDITION "E0104" "missing or unknown edition"
        "A file begins with `cnn 1`, the edition of the language it is written in, so that later editions can change the \
         language without changing what the file means."
    NUMBER "E0105" "number out of range"
        "Integers have 64 bits and numbers are finite doubles; digits may be grouped by `_`."

    FOREIGN "E0106" "text of another program"
        "This is Python, a network of another framework, weights or a picture, where a spec is expected. The message says what \
         it is and how to go on; README.md has a table of what PyTorch calls layers."

    UNKNOWN_WORD "E0201" "unknown layer, block or tensor"
        "Within a chain, a word is a parameter of the layer before it, a variable, a layer, a block, a shared network or a \
         named tensor. This word is none of them."
    UNKNOWN_TENSOR "E0202" "unknown tensor"
        "`route`, `tap`, `expect { shape … }` and calls name tensors by their label, or an input by its name. Within a block or \
         loop the label is looked for there first, then in what encloses it. A tensor can be used only after it is made."
    DUPLICATE "E0203" "name given twice"
        "Blocks, presets, shared networks and the parameters of one block have different names, imports included."
    LABEL_TWICE "E0204" "label used twice"
        "Labels name weights, so no two layers may have the same. A block that is called twice needs a label on each call: \
         it becomes a prefix of the labels inside."
    UNKNOWN_NAME "E0205" "unknown name in an expression"
        "Expressions know the parameters of the block and the variables of the loops around them, constants above them, `min`, `max` and `sqrt`."
    RESERVED "E0206" "name that means something else"
        "A variable, block or shared network cannot have the name of a layer: the layer could no longer be written. \
         An input can: where a chain could begin with either, `route NAME` is the input, and a layer stands behind what it works on."
    RECURSION "E0207" "block that calls itself"
        "Blocks are expanded where they are called, so they cannot contain themselves. Use `repeat` or `for`."

    ARGUMENT "E0301" "argument that the layer rejects"
        "The value is of the right kind but not one that the layer can work with."
    UNEXPECTED "E0302" "value that no parameter takes"
        "Values without a name fill the positional parameters of the layer in order, by kind. This value is one too many, or no \
         parameter is of its kind."
    GIVEN_TWICE "E0303" "parameter given twice"
        "A parameter has one value."
    NO_VALUE "E0304" "parameter without value"
        "The name of a parameter is followed by its value; only flags (`bias`) stand alone."
    WRONG_KIND "E0305" "value of the wrong kind"
        "The parameter takes another kind of value than this one."
    CALL_ARGUMENTS "E0306" "wrong number of arguments"
        "A block is called with one value for each of its parameters."
    UNKNOWN_SETTING "E0307" "unknown setting"
        "`input`, `defaults`, `expect`, `train` and heads know a fixed list of settings; a default must be the name of a parameter \
         of at least one layer."
    OPERANDS "E0308" "wrong number of operands"
        "A layer in a chain gets the value before it. `add`, `concat` and their like take several: `add(a, b)`, or a `branch`."

    NOT_YET "E0309" "something that this version cannot do"
        "The word is known and reserved: a later version will do what it says. Leave it out until then; the message says what there is instead."

    SHAPE "E0401" "shapes that do not fit"
        "Every layer has one rule from the shapes of its operands to the shape of its result. Shapes are channels first, \
         without batch."
    RESIDUAL "E0402" "paths of a residual that do not fit"
        "The two paths of a residual are added, so they must have the same shape. `shortcut auto { … }` uses its statements \
         where the shapes differ and passes the input where they agree."
    SHARED_SHAPE "E0403" "shared network on another shape"
        "The weights of a shared network belong to all its calls, so every call must need weights of the same shapes."
    BAD_SHAPE "E0404" "impossible shape"
        "A shape has one to four extents, channels first (`3x224x224`), none of them zero, and at most 2^31 elements."

    TYPE "E0501" "operator on the wrong kind of value"
        "Arithmetic is for numbers, `and`, `or`, `not` and `if` are for truth values, `==` compares values of one kind."
    OVERFLOW "E0502" "number that does not fit"
        "Constant arithmetic has 64 bits and is checked."
    DIVISION "E0503" "division by zero"
        "Integer division and `%` need a divisor other than 0."
    INDEX "E0504" "index out of range"
        "Lists are indexed from 0."
    BINDING "E0505" "item that does not match its pattern"
        "`for (a, b) in …` needs items that are tuples of two."
    MIXED "E0506" "tensor where a constant stands, or the reverse"
        "Tensors are made by layers; constants are known when the spec is compiled. `add`, `sub`, `mul` and the operators \
         `+ - *` between tensors work on tensors only."

    MODEL "E0601" "no model, or several"
        "The file that is compiled has exactly one `model`. Files for `import` need none; their models are not read."
    INPUT "E0602" "nothing to apply a layer to"
        "The chain begins with the model's input. With several inputs, each chain says where it begins: `route a`, `twin(a)`."
    MISPLACED "E0603" "statement in the wrong place"
        "`input`, `head`, `weights`, `expect`, `train`, `labels` and `tap` stand directly in the model."
    HEAD "E0604" "unknown head"
        "A head turns the raw output of the network into an answer."
    WEIGHTS "E0605" "unknown rule for weight names"
        "`weights torchvision` names tensors as torchvision does; `weights map { \"in the file\" -> \"label\" }` spells the rule out. \
         Without either, the label is the name."
    EMPTY "E0606" "network without layers"
        "A network has at least one layer."
    LABELS "E0607" "labels that do not fit"
        "A classifier has one label for each of its outputs."
    BRANCHES "E0608" "branches that do not join"
        "A `branch` has at least two branches, each a statement or `{ … }`, and is joined by a layer of several operands."

    EXPECT "E0701" "expectation that does not hold"
        "`expect` states what is published about a network: the number of learned parameters, the multiplications of \
         convolutions and dense layers at this input, shapes. One of them came out differently, so the spec is not that network."

    LIMIT "E0801" "limit exceeded"
        "Specs are bounded: 1 MiB per file, brackets 64 deep, statements 128 deep over all blocks, 256 operators in an expression \
         (an index is one), imports 16 deep, 20,000 layers with 65,536 operands, 1,024 inputs, two million steps of expansion, 2^31 \
         elements in a tensor, 2^35 in all of them, 16,384 pieces that windows and strides cut layers into. A spec that needs more is taken for a mistake."

    READ "E0901" "file that cannot be read"
        "Imports and label files are found relative to the file that names them; `std/…` is part of the compiler."
    CYCLE "E0902" "imports in a circle"
        "A file cannot import itself, directly or through others."

    UNUSED "W0101" "value that nobody uses"
        "No output depends on this layer, so it is not computed and its weights are not loaded."
    TWO_SOFTMAX "W0102" "softmax twice"
        "`head classify` applies softmax itself; a network that already ends in one would apply it twice."
    DROPPED "W0103" "value that is dropped"
        "A statement that begins with `add(a, b)` joins just these two. The value before it is not among them, and no chain goes on \
         from it. `add(a, b, c)` names it too; `route a add(b)` says that the chain begins anew."
    UNUSED_PAIR "W0104" "pair that names no weights"
        "The first pair of `weights map { … }` that fits the label of a tensor names it. No tensor is named by this pair."
    CHANNELS_LAST "W0105" "input with channels last"
        "Shapes are channels first: a colour picture of 224 by 224 pixels is `3x224x224`. This input has so few columns that its last \
         extent may be that of its channels."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let ids: Vec<_> = ALL.iter().map(|code| code.id()).collect();
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(ids, sorted);
        assert_eq!(Code::find("e0201"), Some(UNKNOWN_WORD));
        assert_eq!(Code::find("E9999"), None);
    }
}
