//! What operators are read with: the network so far, and what stands for the batch.

use super::error::{Why, invalid, unsupported};
use super::net::{Id, Net, Op, RANK};
use super::node::Attrs;
use super::tensor::Tensor;

/// A tensor of the network, with the extents that it has in the file, batch included.
#[derive(Clone, Debug)]
pub(super) struct Val {
    pub id: Id,
    pub dims: Vec<usize>,
}

/// What a name stands for.
#[derive(Clone)]
pub(super) enum Item {
    Const(Tensor),
    Val(Val),
    /// A tensor of the network as whole numbers, which only what looks for the batch of regions may read.
    Whole(Val),
    /// What a node makes that is not supported.
    Unknown,
}

/// The network so far.
pub(super) struct Ctx {
    pub net: Net,
    /// Images in a batch, where there are several and extents are fixed: the first axis of every tensor then. With `None` the batch is one image.
    pub batch: Option<usize>,
    /// Elements of constants that may still be made: of four bytes each.
    pub budget: usize,
    /// Elements of constants that may still be read.
    pub work: usize,
}

/// A node with its operands.
pub(super) struct Call<'a> {
    pub op: &'a str,
    pub opset: i64,
    pub attrs: &'a Attrs<'a>,
    pub inputs: Vec<Option<Item>>,
    pub outputs: usize,
    /// Whether an operand is read here only, so that what makes it may become part of what this node makes.
    pub once: Vec<bool>,
}

impl Call<'_> {
    /// A tensor of the network.
    pub fn val(&self, at: usize) -> Result<Val, Why> {
        match self.inputs.get(at) {
            Some(Some(Item::Val(val))) => Ok(val.clone()),
            Some(Some(Item::Const(_))) => unsupported(format!("operand {at} is constant")),
            Some(Some(Item::Whole(_))) => unsupported(format!(
                "operand {at} is of whole numbers that are computed, or an input of the graph"
            )),
            Some(Some(Item::Unknown)) => unsupported("its operand is not supported"),
            _ => invalid(format!("operand {at} is missing")),
        }
    }

    /// A constant, if there is one.
    pub fn constant(&self, at: usize) -> Result<Option<&Tensor>, Why> {
        match self.inputs.get(at) {
            Some(Some(Item::Const(tensor))) => Ok(Some(tensor)),
            Some(Some(_)) => unsupported(format!(
                "operand {at} has no value: it is computed, or an input of the graph (weights as inputs can be baked into the file as initialisers)"
            )),
            _ => Ok(None),
        }
    }

    /// A constant that is needed.
    pub fn needed(&self, at: usize) -> Result<&Tensor, Why> {
        match self.constant(at)? {
            Some(tensor) => Ok(tensor),
            None => invalid(format!("operand {at} is missing")),
        }
    }

    /// Parameters of a layer: one number for each of so many.
    pub fn vector(&self, at: usize, n: usize) -> Result<Tensor, Why> {
        let tensor = self.needed(at)?;
        match tensor.len() == n {
            true => Ok(tensor.with_dims(vec![n])),
            false => invalid(format!(
                "operand {at} has {} elements instead of {n}",
                tensor.len()
            )),
        }
    }
}

/// Takes elements from a budget.
pub(super) fn pay(budget: &mut usize, elements: usize) -> Result<(), Why> {
    match budget.checked_sub(elements) {
        Some(left) => {
            *budget = left;
            Ok(())
        }
        None => invalid("its constants are more than the file could ever need"),
    }
}

/// Takes elements that are read from those that may still be.
pub(super) fn work(left: &mut usize, elements: usize) -> Result<(), Why> {
    match left.checked_sub(elements) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => unsupported("there is more to compute of constants than a network has"),
    }
}

/// One result.
pub(super) fn one(id: Id, dims: Vec<usize>) -> Result<Vec<Item>, Why> {
    Ok(vec![Item::Val(Val { id, dims })])
}

impl Ctx {
    /// Takes elements of a constant from those that may still be made.
    pub fn pay(&mut self, elements: usize) -> Result<(), Why> {
        pay(&mut self.budget, elements)
    }

    /// How many axes of a tensor stand for the batch: 1 or 0.
    pub fn lead(&self, dims: &[usize]) -> usize {
        match self.batch {
            Some(_) => 1,
            None => usize::from(dims.len() > 1 && dims[0] == 1),
        }
    }

    /// The language's extents of a tensor: without the batch. More axes than it has become one.
    pub fn lang(&self, dims: &[usize]) -> Vec<usize> {
        let rest = &dims[self.lead(dims).min(dims.len())..];
        match rest.len() {
            0 => vec![1],
            1..=RANK => rest.to_vec(),
            _ => vec![rest.iter().product()],
        }
    }

    /// Refuses what would mix images.
    pub fn batched(&self, dims: &[usize]) -> Result<(), Why> {
        match self.batch {
            Some(batch) if dims.first() != Some(&batch) => {
                unsupported("it mixes the images of a batch; a batch of one is imported")
            }
            _ => Ok(()),
        }
    }

    /// A tensor with the language's extents.
    pub fn natural(&mut self, val: &Val) -> Id {
        let dims = self.lang(&val.dims);
        self.net.view(val.id, &dims)
    }

    /// A tensor as a map: channels and pixels of an image.
    pub fn map(&mut self, val: &Val) -> Result<Id, Why> {
        let dims = &val.dims;
        if dims.len() < 2 || dims.len() > RANK + 1 {
            return unsupported(format!(
                "an operand of extents {dims:?}: the language has maps of one to three dimensions"
            ));
        }
        if self.batch.is_none() && dims[0] != 1 {
            return unsupported(format!(
                "an operand of extents {dims:?}, whose first axis is no batch"
            ));
        }
        Ok(self.net.view(val.id, &dims[1..]))
    }

    /// A tensor and one of its axes: with the language's extents, or others that have this axis if there are too many.
    pub fn along(&mut self, val: &Val, axis: usize) -> Result<(Id, usize), Why> {
        let lead = self.lead(&val.dims);
        if self.batch.is_some() && axis == 0 {
            return unsupported("it works along the axis of the batch");
        }
        if axis >= lead && val.dims.len() - lead <= RANK {
            return Ok((self.natural(val), axis - lead));
        }
        let (dims, at) = self.grouped(&val.dims, axis);
        Ok((self.net.view(val.id, &dims), at))
    }

    /// What stands before an axis, the axis, and what stands behind it; and the place of the axis.
    pub fn grouped(&self, dims: &[usize], axis: usize) -> (Vec<usize>, usize) {
        let lead = self.lead(dims).min(axis);
        let before: usize = dims[lead..axis].iter().product();
        let behind: usize = dims[axis + 1..].iter().product();
        let mut all = Vec::new();
        if before != 1 {
            all.push(before);
        }
        all.push(dims[axis]);
        if behind != 1 {
            all.push(behind);
        }
        (all, usize::from(before != 1))
    }

    /// A tensor below a change of axes, with the order of these; the identity if it has none.
    pub fn below(&self, id: Id) -> (Id, Vec<usize>) {
        match (self.net.op(id), self.net.source(id)) {
            (Some(Op::Permute(axes)), Some(source)) => (source, axes.clone()),
            _ => (id, (0..self.net.dims(id).len()).collect()),
        }
    }

    /// An axis of a tensor brought to the front, and the order that brings it back.
    pub fn front(&mut self, id: Id, axis: usize) -> (Id, Vec<usize>) {
        let rank = self.net.dims(id).len();
        let mut order = vec![axis];
        order.extend((0..rank).filter(|&a| a != axis));
        let back = inverse(&order);
        (self.net.permute(id, &order), back)
    }
}

/// The order that undoes an order.
pub(super) fn inverse(order: &[usize]) -> Vec<usize> {
    let mut back = vec![0; order.len()];
    for (at, &axis) in order.iter().enumerate() {
        back[axis] = at;
    }
    back
}
