//! Norms that a file writes as several nodes: each is known by its last, and takes up what follows it.

use super::super::ctx::{Ctx, Val, inverse};
use super::super::net::{Id, Kind, Net, Op};
use super::super::tensor::Tensor;
use super::super::text;

/// `(x − mean) / √(mean of squares + eps)`: `a` are the distances from the mean, `b` what they are divided by, or multiplied with if that is `inverse`.
pub fn normal(ctx: &mut Ctx, a: &Val, b: &Val, inverse: bool) -> Option<Id> {
    let net = &ctx.net;
    let distances = net.bare(a.id);
    let dims = net.dims(distances).to_vec();
    let lead = ctx.lead(&a.dims);
    if a.dims[lead..] != dims[..] || b.dims.len() > a.dims.len() {
        return None;
    }
    // One deviation for each of those that are not normalised together.
    let mut from = vec![1; a.dims.len() - b.dims.len()];
    from.extend(&b.dims);
    let kept = &from[lead..];
    let over: Vec<usize> = (0..dims.len())
        .filter(|&axis| kept[axis] == 1 && dims[axis] != 1)
        .collect();
    let same = (0..dims.len()).all(|axis| over.contains(&axis) || kept[axis] == dims[axis]);
    if over.is_empty() || !same {
        return None;
    }
    let eps = net.deviation(net.bare(b.id), inverse, distances, &over)?;
    let x = net.centred(distances, &over)?;
    ctx.net.normalised(x, &over, eps)
}

impl Net {
    /// A tensor before its elements were seen with other extents.
    fn bare(&self, id: Id) -> Id {
        match (self.op(id), self.source(id)) {
            (Some(Op::Reshape), Some(source)) => source,
            _ => id,
        }
    }

    /// What a tensor is the mean of, and over which axes.
    fn mean(&self, id: Id) -> Option<(Id, Vec<usize>)> {
        let source = self.source(id)?;
        match self.op(id)? {
            Op::Reduce(Kind::Mean, axes) => Some((source, axes.clone())),
            Op::Word("globalavgpool") => Some((source, (1..self.dims(source).len()).collect())),
            _ => None,
        }
    }

    /// The number that is added to the mean of the squares of distances, if a tensor is the root of that, or one over it.
    fn deviation(&self, id: Id, inverse: bool, distances: Id, over: &[usize]) -> Option<f32> {
        let mut id = id;
        let mut root = false;
        if inverse {
            match self.op(id)? {
                Op::Text("pow", power) if power == "(-1)" => {}
                Op::Text("pow", power) if power == "(-0.5)" => root = true,
                _ => return None,
            }
            id = self.bare(self.source(id)?);
        }
        if !root {
            if self.op(id) != Some(&Op::Word("sqrt")) {
                return None;
            }
            id = self.bare(self.source(id)?);
        }
        let &Op::Scale(1.0, eps) = self.op(id)? else {
            return None;
        };
        let (squares, axes) = self.mean(self.bare(self.source(id)?))?;
        let layer = self.values[squares].layer.as_ref()?;
        let of = match (&layer.op, &layer.operands[..]) {
            (Op::Text("pow", power), &[of]) if power == "2" => of,
            (Op::Word("mul"), &[of, other]) if of == other => of,
            _ => return None,
        };
        // Some files write the difference twice.
        let difference = |id: Id| {
            let layer = self.values[id].layer.as_ref();
            layer.filter(|layer| layer.op == Op::Word("sub"))
        };
        let (one, other) = (difference(self.bare(of))?, difference(distances)?);
        let fits = one.operands == other.operands
            && self.dims(of) == self.dims(distances)
            && axes == over
            && eps > 0.0;
        fits.then_some(eps)
    }

    /// The tensor whose distances from its mean those are.
    fn centred(&self, distances: Id, over: &[usize]) -> Option<Id> {
        let layer = self.values[distances].layer.as_ref()?;
        let (Op::Word("sub"), &[x, mean]) = (&layer.op, &layer.operands[..]) else {
            return None;
        };
        let dims = self.dims(x);
        let kept: Vec<usize> = (0..dims.len())
            .map(|axis| if over.contains(&axis) { 1 } else { dims[axis] })
            .collect();
        // A number for each channel is repeated as a vector.
        let channels = kept[1..].iter().all(|&n| n == 1) && self.dims(mean) == &kept[..1];
        if self.dims(distances) != dims || self.dims(mean) != kept && !channels {
            return None;
        }
        let (source, axes) = self.mean(self.bare(mean))?;
        let order: Vec<usize> = match self.op(x) {
            Some(Op::Permute(order)) if self.source(x) == Some(source) => order.clone(),
            _ if source == x => (0..dims.len()).collect(),
            _ => return None,
        };
        let (mut together, mut rest) = (Vec::new(), Vec::new());
        for (axis, of) in order.iter().enumerate() {
            match axes.contains(of) {
                true => together.push(axis),
                false => rest.push(*of),
            }
        }
        // Axes of 1 make no difference to a mean.
        together.retain(|&axis| dims[axis] != 1);
        (together == over && rest.is_sorted()).then_some(x)
    }

    /// The layer that normalises elements over those axes together.
    fn normalised(&mut self, x: Id, over: &[usize], eps: f32) -> Option<Id> {
        let dims = self.dims(x).to_vec();
        let eps = format!("eps {}", text::number(eps));
        if let &[axis] = over {
            if dims.len() == 1 {
                let op = Op::Text("layernorm", format!("{eps} affine off"));
                return Some(self.push(op, &[x], Vec::new(), dims));
            }
            let op = Op::Text("layernorm", format!("over channels {eps} affine off"));
            return Some(self.in_front(x, axis, op));
        }
        if over.len() == dims.len() {
            let op = Op::Text("groupnorm", format!("1 {eps} affine off"));
            return Some(self.push(op, &[x], Vec::new(), dims));
        }
        let mut channels = (0..dims.len()).filter(|axis| !over.contains(axis));
        match (channels.next(), channels.next()) {
            (Some(axis), None) => Some(self.in_front(x, axis, Op::Text("instancenorm", eps))),
            _ => None,
        }
    }

    /// A layer that keeps extents, with one axis as its channels.
    fn in_front(&mut self, x: Id, axis: usize, op: Op) -> Id {
        let mut order = vec![axis];
        order.extend((0..self.dims(x).len()).filter(|&other| other != axis));
        let front = self.permute(x, &order);
        let dims = self.dims(front).to_vec();
        let id = self.push(op, &[front], Vec::new(), dims);
        self.permute(id, &inverse(&order))
    }

    /// Groups of channels that were seen as instances, seen as channels again: what is known of `x` with these extents.
    pub fn groups(&mut self, x: Id, dims: &[usize]) -> Option<Id> {
        let layer = self.values[x].layer.as_ref()?;
        let Op::Text("instancenorm", args) = &layer.op else {
            return None;
        };
        let plain = match &layer.params[..] {
            [] => true,
            [(_, weight), (_, bias)] => {
                weight.uniform() == Some(1.0) && bias.uniform() == Some(0.0)
            }
            _ => false,
        };
        let eps = args.strip_suffix(" affine").unwrap_or(args).to_owned();
        let seen = self.source(x)?;
        let source = self.source(seen)?;
        let groups = self.dims(x)[0];
        let fits = plain
            && self.op(seen) == Some(&Op::Reshape)
            && self.dims(source) == dims
            && dims.len() > 1
            && dims[0].is_multiple_of(groups);
        if !fits {
            return None;
        }
        let op = match dims[0] == groups {
            true => Op::Text("instancenorm", eps),
            false => Op::Text("groupnorm", format!("{groups} {eps} affine off")),
        };
        Some(self.push(op, &[source], Vec::new(), dims.to_vec()))
    }

    /// A norm with factors and shifts of its channels behind it, as one layer.
    pub fn with_affine(
        &mut self,
        x: Id,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
    ) -> Option<Id> {
        let layer = self.values[x].layer.as_ref()?;
        let Op::Text(word, args) = &layer.op else {
            return None;
        };
        let args = match (*word, layer.params.len()) {
            ("instancenorm" | "groupnorm" | "layernorm", 2) => args.clone(),
            ("instancenorm", 0) => format!("{args} affine"),
            ("groupnorm" | "layernorm", 0) => args.strip_suffix(" affine off")?.to_owned(),
            _ => return None,
        };
        let n = self.dims(x)[0];
        let numbers = |tensor: Option<&Tensor>, fill: f32| {
            tensor.map_or_else(|| vec![fill; n], |tensor| tensor.to_floats().into_owned())
        };
        let own = |role: usize| layer.params.get(role).map(|(_, tensor)| tensor);
        let (factors, shifts) = (numbers(own(0), 1.0), numbers(own(1), 0.0));
        let (more, further) = (numbers(weight, 1.0), numbers(bias, 0.0));
        if [&factors, &shifts, &more, &further]
            .iter()
            .any(|list| list.len() != n)
        {
            return None;
        }
        let factor = (0..n).map(|c| factors[c] * more[c]).collect();
        let shift = (0..n).map(|c| shifts[c] * more[c] + further[c]).collect();
        let params = vec![
            ("weight", Tensor::floats(vec![n], factor)),
            ("bias", Tensor::floats(vec![n], shift)),
        ];
        let (op, operands) = (Op::Text(word, args), layer.operands.clone());
        let dims = self.dims(x).to_vec();
        Some(self.push(op, &operands, params, dims))
    }
}
