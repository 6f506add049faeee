//! Activations that a file writes as several nodes: each is known by its last, and becomes one layer.

use super::net::{Id, Net, Op};

impl Net {
    /// Adds a layer of one operand that keeps extents and looks at one element at a time: before a change of axes rather than behind it.
    pub fn unary(&mut self, op: Op, x: Id) -> Id {
        if let Some(Op::Permute(axes)) = self.op(x) {
            let axes = axes.clone();
            let source = self.source(x).expect("one operand");
            let result = self.unary(op, source);
            return self.permute(result, &axes);
        }
        if let Some(better) = self.simpler(&op, x) {
            return better;
        }
        self.push(op, &[x], Vec::new(), self.dims(x).to_vec())
    }

    /// A layer that computes the same in one as the last ones and this one.
    fn simpler(&mut self, op: &Op, x: Id) -> Option<Id> {
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-4 * b.abs();
        match *op {
            Op::Scale(1.0, 0.0) => return Some(x),
            Op::Scale(factor, shift) => {
                if let Some(&Op::Scale(f, s)) = self.op(x) {
                    let (factor, shift) = (
                        f64::from(f) * f64::from(factor),
                        f64::from(s) * f64::from(factor) + f64::from(shift),
                    );
                    let source = self.source(x)?;
                    return Some(self.unary(Op::Scale(factor as f32, shift as f32), source));
                }
                // clip(x + 3, 0, 6) / 6
                if near(factor, 1.0 / 6.0) && shift == 0.0 {
                    if let Some(source) = self.six(x) {
                        return Some(self.unary(Op::Word("hardsigmoid"), source));
                    }
                    if self.op(x) == Some(&Op::Word("mul"))
                        && let [a, b] = self.values[x].layer.as_ref()?.operands[..]
                    {
                        for (a, b) in [(a, b), (b, a)] {
                            if self.six(b) == Some(a) {
                                return Some(self.unary(Op::Word("hardswish"), a));
                            }
                        }
                    }
                }
                // x · (1 + erf(x / √2)) / 2
                if near(factor, 0.5)
                    && shift == 0.0
                    && self.op(x) == Some(&Op::Word("mul"))
                    && let [a, b] = self.values[x].layer.as_ref()?.operands[..]
                {
                    for (a, b) in [(a, b), (b, a)] {
                        if let Some((x, gelu)) = self.phi(b, 1.0)
                            && x == a
                        {
                            return Some(self.unary(gelu, x));
                        }
                    }
                }
            }
            Op::Clip(low, high) => {
                if low == 0.0 && high == f32::MAX {
                    return Some(self.unary(Op::Word("relu"), x));
                }
                if low == 0.0
                    && near(high, 1.0)
                    && let Some(&Op::Scale(f, s)) = self.op(x)
                    && near(f, 1.0 / 6.0)
                    && near(s, 0.5)
                {
                    let source = self.source(x)?;
                    return Some(self.unary(Op::Word("hardsigmoid"), source));
                }
            }
            Op::Word("relu") if matches!(self.op(x), Some(Op::Word("relu"))) => return Some(x),
            _ => {}
        }
        None
    }

    /// What `x` is, if the tensor is clip(x + 3, 0, 6).
    fn six(&self, id: Id) -> Option<Id> {
        let clipped =
            matches!(self.op(id), Some(&Op::Clip(low, high)) if low == 0.0 && high == 6.0);
        let inner = clipped.then(|| self.source(id))??;
        match self.op(inner) {
            Some(&Op::Scale(f, s)) if f == 1.0 && s == 3.0 => self.source(inner),
            _ => None,
        }
    }

    /// What `x` is, if the tensor is `factor` · (1 + erf(x / √2)) or its approximation, and the layer that multiplies `x` with half of that.
    fn phi(&self, id: Id, factor: f32) -> Option<(Id, Op)> {
        match self.op(id) {
            Some(&Op::Scale(f, s)) if (f - factor).abs() < 1e-6 && (s - factor).abs() < 1e-6 => {}
            _ => return None,
        }
        let near = |a: f32, b: f32| (a - b).abs() < 1e-4;
        let curve = self.source(id)?;
        let inner = self.source(curve)?;
        let &Op::Scale(f, 0.0) = self.op(inner)? else {
            return None;
        };
        let of = self.source(inner)?;
        match self.op(curve)? {
            Op::Word("erf") if near(f, std::f32::consts::FRAC_1_SQRT_2) => {
                Some((of, Op::Word("gelu")))
            }
            // tanh(√(2/π) · (x + 0.044715 · x³))
            Op::Word("tanh") if near(f, 0.797_884_6) && self.op(of)? == &Op::Word("add") => {
                let &[a, b] = &self.values[of].layer.as_ref()?.operands[..] else {
                    return None;
                };
                let cubic = |(x, other): &(Id, Id)| {
                    matches!(self.op(*other), Some(&Op::Scale(f, 0.0)) if near(f, 0.044_715))
                        && self
                            .source(*other)
                            .is_some_and(|cube| self.is_cube(cube, *x))
                };
                let (x, _) = [(a, b), (b, a)].into_iter().find(cubic)?;
                Some((x, Op::Text("gelu", "approximate".to_owned())))
            }
            _ => None,
        }
    }

    /// Whether a tensor is x³.
    fn is_cube(&self, id: Id, x: Id) -> bool {
        let operands = |id: Id| match &self.values[id].layer {
            Some(layer) if layer.op == Op::Word("mul") => layer.operands.clone(),
            _ => Vec::new(),
        };
        let power = |id: Id, exponent: &str| {
            let pow = matches!(self.op(id), Some(Op::Text("pow", own)) if own == exponent);
            pow && self.source(id) == Some(x)
        };
        let is_square = |id: Id| power(id, "2") || operands(id) == [x, x];
        power(id, "3")
            || match operands(id)[..] {
                [a, b] => a == x && is_square(b) || b == x && is_square(a),
                _ => false,
            }
    }

    /// The product of two tensors of the same extents.
    pub fn product(&mut self, a: Id, b: Id) -> Id {
        // x · σ(x), both with other extents than there were.
        if let (Some(Op::Reshape), Some(Op::Reshape)) = (self.op(a), self.op(b))
            && let (Some(p), Some(q)) = (self.source(a), self.source(b))
            && self.dims(a) == self.dims(b)
            && self.dims(p) == self.dims(q)
            && (self.source(q) == Some(p) || self.source(p) == Some(q))
        {
            let dims = self.dims(a).to_vec();
            let inner = self.product(p, q);
            return self.view(inner, &dims);
        }
        for (a, b) in [(a, b), (b, a)] {
            let gate = match self.op(b) {
                Some(Op::Word("sigmoid")) => Some("silu"),
                Some(Op::Word("hardsigmoid")) => Some("hardswish"),
                Some(Op::Word("tanh")) => match self
                    .source(b)
                    .map(|inner| (self.op(inner), self.source(inner)))
                {
                    Some((Some(Op::Word("softplus")), Some(x))) if x == a => {
                        return self.unary(Op::Word("mish"), a);
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(word) = gate
                && self.source(b) == Some(a)
            {
                return self.unary(Op::Word(word), a);
            }
            // (x / 2) · (1 + erf(x / √2)), x · (1 + erf(x / √2)) / 2
            if let Some((x, gelu)) = self.phi(b, 1.0)
                && matches!(self.op(a), Some(&Op::Scale(f, s)) if f == 0.5 && s == 0.0)
                && self.source(a) == Some(x)
            {
                return self.unary(gelu, x);
            }
            if let Some((x, gelu)) = self.phi(b, 0.5)
                && x == a
            {
                return self.unary(gelu, x);
            }
        }
        self.push(Op::Word("mul"), &[a, b], Vec::new(), self.dims(a).to_vec())
    }
}
