//! The network on its way from nodes to a spec: layers of the language, each made by one or more nodes.
//!
//! Every tensor has the language's extents, without the batch. Since both orders of elements are row by row, extents of 1 and
//! adjacent axes come and go by [`Net::view`], which costs nothing but a `reshape` where a layer asks for other extents than there are.

use super::tensor::{Data, Tensor};
use std::collections::HashMap;

/// A tensor of the network.
pub(super) type Id = usize;

/// Most axes of a tensor in the language.
pub(super) const RANK: usize = 4;

/// Most numbers of a tensor that stand in the spec.
const WRITTEN: usize = 1 << 12;

/// What a layer computes.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Op {
    /// A layer without parameters.
    Word(&'static str),
    /// Layers as they are written: of one operand, or one layer of several.
    Text(&'static str, String),
    /// The axes in that order.
    Permute(Vec<usize>),
    /// The same elements with the layer's extents.
    Reshape,
    /// A vector, pixel by pixel.
    FlattenSpatial,
    /// Factor and shift.
    Scale(f32, f32),
    /// Low and high.
    Clip(f32, f32),
    /// Zeros around, for each pixel axis before and behind.
    Pad(Vec<[usize; 2]>),
    /// Convolution.
    Conv(Conv),
    /// Fully connected.
    Dense(usize),
    /// A factor and a shift for each channel.
    Affine,
    /// A constant of its own extents; the operand says where it stands.
    Constant,
    /// From, to, axis.
    Slice(usize, usize, usize),
    /// Behind one another along an axis.
    Concat(usize),
    /// A reduction over axes: kind and axes.
    Reduce(Kind, Vec<usize>),
}

/// What a reduction computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Mean,
    Sum,
    Max,
    Min,
    L1,
    L2,
    SumSquare,
    LogSum,
    LogSumExp,
    Prod,
}

/// Parameters of a convolution.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Conv {
    pub transposed: bool,
    pub kernel: Vec<usize>,
    pub out: usize,
    pub stride: Vec<usize>,
    pub pads: Vec<[usize; 2]>,
    pub dilation: Vec<usize>,
    pub groups: usize,
    pub output_pad: usize,
}

/// A layer.
#[derive(Clone)]
pub(super) struct Layer {
    pub op: Op,
    pub operands: Vec<Id>,
    /// Parameters by role: `weight`, `bias`, …
    pub params: Vec<(&'static str, Tensor)>,
    /// What it is called in the file, best first.
    pub hint: Hint,
}

impl Layer {
    /// The tensor whose numbers stand in the spec, if the file lists them in its graph: weights of a convolution, and a constant.
    pub fn literal(&self) -> Option<&Tensor> {
        let written = match &self.op {
            Op::Conv(conv) => !conv.transposed,
            Op::Constant => true,
            _ => false,
        };
        let (_, tensor) = self.params.first().filter(|_| written)?;
        let Data::Listed(values) = &tensor.data else {
            return None;
        };
        let sound = values.len() <= WRITTEN && values.iter().all(|value| value.is_finite());
        sound.then_some(tensor)
    }

    /// Parameters that stand in a file of weights.
    pub fn learned(&self) -> &[(&'static str, Tensor)] {
        &self.params[usize::from(self.literal().is_some())..]
    }
}

/// Where a layer's name comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Hint {
    /// Name of its weights.
    pub weights: String,
    /// Name of its node.
    pub node: String,
}

/// A tensor: an input, or what a layer makes.
#[derive(Clone)]
pub(super) struct Value {
    pub dims: Vec<usize>,
    /// `None` for an input.
    pub layer: Option<Layer>,
}

/// The layers so far.
#[derive(Default)]
pub(super) struct Net {
    pub values: Vec<Value>,
    views: HashMap<(Id, Vec<usize>), Id>,
    /// Of the node that is read.
    pub hint: Hint,
    /// Numbers of norms that no tensor of the file has.
    pub repeated: usize,
}

impl Net {
    pub fn input(&mut self, dims: Vec<usize>) -> Id {
        self.values.push(Value { dims, layer: None });
        self.values.len() - 1
    }

    pub fn dims(&self, id: Id) -> &[usize] {
        &self.values[id].dims
    }

    pub fn op(&self, id: Id) -> Option<&Op> {
        self.values[id].layer.as_ref().map(|layer| &layer.op)
    }

    /// The only operand of a tensor that a layer of one operand makes.
    pub fn source(&self, id: Id) -> Option<Id> {
        match &self.values[id].layer.as_ref()?.operands[..] {
            &[source] => Some(source),
            _ => None,
        }
    }

    /// Adds a layer as it is.
    pub fn push(
        &mut self,
        op: Op,
        operands: &[Id],
        params: Vec<(&'static str, Tensor)>,
        dims: Vec<usize>,
    ) -> Id {
        let layer = Layer {
            op,
            operands: operands.to_vec(),
            params,
            hint: self.hint.clone(),
        };
        self.values.push(Value {
            dims,
            layer: Some(layer),
        });
        self.values.len() - 1
    }

    /// The axes in another order: axis `i` is the operand's axis `axes[i]`.
    pub fn permute(&mut self, x: Id, axes: &[usize]) -> Id {
        let dims: Vec<usize> = axes.iter().map(|&axis| self.dims(x)[axis]).collect();
        let moved: Vec<usize> = axes
            .iter()
            .copied()
            .filter(|&axis| self.dims(x)[axis] != 1)
            .collect();
        if moved.is_sorted() {
            return self.view(x, &dims);
        }
        if let Some(Op::Permute(first)) = self.op(x) {
            let axes: Vec<usize> = axes.iter().map(|&axis| first[axis]).collect();
            let source = self.source(x).expect("one operand");
            return self.permute(source, &axes);
        }
        self.push(Op::Permute(axes.to_vec()), &[x], Vec::new(), dims)
    }

    /// The same elements with other extents.
    pub fn view(&mut self, x: Id, dims: &[usize]) -> Id {
        debug_assert_eq!(
            self.dims(x).iter().product::<usize>(),
            dims.iter().product::<usize>()
        );
        if self.dims(x) == dims {
            return x;
        }
        if let Some(&known) = self.views.get(&(x, dims.to_vec())) {
            return known;
        }
        if let Some(id) = self.groups(x, dims) {
            self.views.insert((x, dims.to_vec()), id);
            return id;
        }
        let id = match self.op(x) {
            Some(Op::Reshape) => {
                let source = self.source(x).expect("one operand");
                self.view(source, dims)
            }
            Some(Op::Text("space_to_depth", size))
                if size == "2" && self.finer(x, dims).is_some() =>
            {
                let source = self.finer(x, dims).expect("just seen");
                let op = Op::Text("space_to_depth", "2 darknet".to_owned());
                self.push(op, &[source], Vec::new(), dims.to_vec())
            }
            Some(Op::Permute(axes))
                if dims.len() == 1
                    && axes.last() == Some(&0)
                    && axes[..axes.len() - 1].iter().copied().eq(1..axes.len()) =>
            {
                let source = self.source(x).expect("one operand");
                self.push(Op::FlattenSpatial, &[source], Vec::new(), dims.to_vec())
            }
            _ => self.push(Op::Reshape, &[x], Vec::new(), dims.to_vec()),
        };
        self.views.insert((x, dims.to_vec()), id);
        id
    }

    /// What darknet's own order of a passthrough is applied to, if pixels of 2x2 become channels of what has been seen with a quarter of the channels.
    fn finer(&self, x: Id, dims: &[usize]) -> Option<Id> {
        let seen = self.source(x)?;
        if self.op(seen) != Some(&Op::Reshape) {
            return None;
        }
        let source = self.source(seen)?;
        let (&[c, h, w], &[few, tall, wide]) = (self.dims(source), self.dims(seen)) else {
            return None;
        };
        let fits = c == few * 4 && tall == h * 2 && wide == w * 2;
        (fits && h % 2 == 0 && w % 2 == 0 && *dims == [4 * c, h / 2, w / 2]).then_some(source)
    }

    /// `weight[c] · x + bias[c]` for the channels of a tensor.
    pub fn affine(&mut self, x: Id, weight: Option<Tensor>, bias: Option<Tensor>) -> Id {
        let channels = self.dims(x)[0];
        if let Some(id) = self.with_affine(x, weight.as_ref(), bias.as_ref()) {
            return id;
        }
        // What a convolution has made takes up a shift as its own.
        if weight.is_none()
            && let Some(shift) = &bias
            && let Some(layer) = &self.values[x].layer
            && matches!(layer.op, Op::Conv(_) | Op::Dense(_))
            && layer.params.len() == 1
        {
            let mut layer = layer.clone();
            layer.params.push(("bias", shift.with_dims(vec![channels])));
            let dims = self.dims(x).to_vec();
            self.values.push(Value {
                dims,
                layer: Some(layer),
            });
            return self.values.len() - 1;
        }
        if let (Some(Op::Affine), Some(source)) = (self.op(x), self.source(x)) {
            let layer = self.values[x].layer.clone().expect("a layer");
            let old = |role: usize| layer.params[role].1.to_floats().into_owned();
            let (w, b) = (old(0), old(1));
            let of = |t: &Option<Tensor>, fill: f32| {
                t.as_ref()
                    .map_or_else(|| vec![fill; channels], |t| t.to_floats().into_owned())
            };
            let (f, s) = (of(&weight, 1.0), of(&bias, 0.0));
            let product = (0..channels).map(|c| w[c] * f[c]).collect();
            let sum = (0..channels).map(|c| b[c] * f[c] + s[c]).collect();
            return self.push_affine(source, product, sum);
        }
        let of = |t: Option<Tensor>, fill: f32| {
            t.map_or_else(|| vec![fill; channels], |t| t.to_floats().into_owned())
        };
        self.push_affine(x, of(weight, 1.0), of(bias, 0.0))
    }

    fn push_affine(&mut self, x: Id, weight: Vec<f32>, bias: Vec<f32>) -> Id {
        let n = weight.len();
        let params = vec![
            ("weight", Tensor::floats(vec![n], weight)),
            ("bias", Tensor::floats(vec![n], bias)),
            ("running_mean", Tensor::floats(vec![n], vec![0.0; n])),
            ("running_var", Tensor::floats(vec![n], vec![1.0; n])),
        ];
        self.push(Op::Affine, &[x], params, self.dims(x).to_vec())
    }

    /// A tensor repeated to larger extents of as many axes.
    pub fn expand(&mut self, x: Id, from: &[usize], to: &[usize]) -> Id {
        let x = self.view(x, from);
        if from == to {
            return x;
        }
        let repeats: Vec<String> = from
            .iter()
            .zip(to)
            .map(|(from, to)| (to / from).to_string())
            .collect();
        self.push(
            Op::Text("tiled", repeats.join("x")),
            &[x],
            Vec::new(),
            to.to_vec(),
        )
    }

    /// A constant as a tensor of the network.
    pub fn constant(&mut self, near: Id, value: Tensor) -> Id {
        let dims = value.dims.clone();
        self.push(Op::Constant, &[near], vec![("weight", value)], dims)
    }

    /// Tensors that are needed for those, and how often each is read.
    pub fn live(&self, outputs: &[Id]) -> (Vec<bool>, Vec<usize>) {
        let mut live = vec![false; self.values.len()];
        let mut reads = vec![0; self.values.len()];
        for &id in outputs {
            live[id] = true;
            reads[id] += 1;
        }
        for id in (0..self.values.len()).rev() {
            if !live[id] {
                continue;
            }
            if let Some(layer) = &self.values[id].layer {
                for &operand in &layer.operands {
                    live[operand] = true;
                    reads[operand] += 1;
                }
            }
        }
        (live, reads)
    }

    /// Where all that is made of an input changes its axes in one way, the input has these axes: `Some` order, that of the file's axes.
    pub fn turn_input(&mut self, input: Id, outputs: &[Id]) -> Option<Vec<usize>> {
        let (live, _) = self.live(outputs);
        if outputs.contains(&input) {
            return None;
        }
        let mut order: Option<Vec<usize>> = None;
        let mut all = Vec::new();
        for id in (0..self.values.len()).filter(|&id| live[id]) {
            let Some(layer) = &self.values[id].layer else {
                continue;
            };
            if !layer.operands.contains(&input) {
                continue;
            }
            match &layer.op {
                Op::Permute(axes) if order.as_ref().is_none_or(|order| order == axes) => {
                    order = Some(axes.clone())
                }
                _ => return None,
            }
            all.push(id);
        }
        let order = order?;
        let dims = order.iter().map(|&axis| self.dims(input)[axis]).collect();
        self.values[input].dims = dims;
        for value in &mut self.values {
            if let Some(layer) = &mut value.layer {
                for operand in &mut layer.operands {
                    if all.contains(operand) {
                        *operand = input;
                    }
                }
            }
        }
        for id in all {
            // Nobody reads it any more, unless it is an output.
            let layer = self.values[id].layer.as_mut().expect("a layer");
            layer.op = Op::Scale(1.0, 0.0);
        }
        Some(order)
    }
}
