//! What a network is fed: its inputs with extents, as the file has them and as it is told where they are open.

use super::error::{OnnxError, Unsupported, show};
use super::proto::{DimensionProto, GraphProto, ValueInfoProto, data_type};
use super::scopes::Names;
use super::tensor::{self, ELEMENTS};
use super::text;
use cnnc_compiler::limits::INPUTS;
use cnnc_compiler::words::grouped;

/// Most axes of an input.
const RANK: usize = 16;

/// What the network is read with.
#[derive(Clone, Debug, Default)]
pub(super) struct Shapes {
    /// Extents of inputs by name, without the batch.
    pub given: Vec<(String, Vec<usize>)>,
    /// Extents of what the network will be run on, in the order of its inputs, batch included.
    pub samples: Vec<Vec<usize>>,
    /// Height and width of pictures, as the exporter says it.
    pub picture: Option<[usize; 2]>,
}

/// An input that has no value in the file.
pub(super) struct Fed {
    pub name: String,
    /// Extents, batch included.
    pub dims: Vec<usize>,
    /// Whether it is of floating point.
    pub float: bool,
}

/// Every input that has no value in the file.
pub(super) fn inputs(
    graph: &GraphProto,
    constants: &Names<'_>,
    shapes: &Shapes,
) -> Result<Vec<Fed>, OnnxError> {
    let fed = graph.input.iter();
    let fed: Vec<&ValueInfoProto> = fed
        .filter(|input| !constants.contains(&input.name))
        .collect();
    if fed.len() > INPUTS {
        return Err(OnnxError::Beyond(format!(
            "the network has more than {} inputs",
            grouped(INPUTS)
        )));
    }
    let strange = |name: &str| fed.iter().all(|input| input.name != name);
    if let Some((name, _)) = shapes.given.iter().find(|(name, _)| strange(name)) {
        let known: Vec<String> = fed.iter().map(|input| show(&input.name)).collect();
        return Err(OnnxError::Invalid(format!(
            "there is no input `{}` to have a shape; inputs are `{}`",
            show(name),
            known.join("`, `")
        )));
    }
    let mut all = Vec::new();
    for (at, input) in fed.iter().enumerate() {
        let given = shapes.given.iter().find(|(name, _)| *name == input.name);
        let given = given.map(|(_, dims)| &dims[..]);
        let sample = shapes.samples.get(at).map(|dims| &dims[..]);
        all.push(one(input, given, sample, shapes.picture)?);
    }
    // An open batch that is the same in all inputs is run image by image.
    let batch = all.first().and_then(|first| first.dims.first().copied());
    let open = |input: &ValueInfoProto| {
        let first = written(input).and_then(|dims| dims.first()?.dim_value);
        first.is_none_or(|n| n <= 0)
    };
    if batch.is_some_and(|batch| batch > 1)
        && fed.iter().copied().all(open)
        && all.iter().all(|own| own.dims.first().copied() == batch)
    {
        for own in &mut all {
            own.dims[0] = 1;
        }
    }
    Ok(all)
}

/// One input, with the extents that it is given, those of what the network will be run on, and those of pictures.
fn one(
    input: &ValueInfoProto,
    given: Option<&[usize]>,
    sample: Option<&[usize]>,
    picture: Option<[usize; 2]>,
) -> Result<Fed, OnnxError> {
    let name = show(&input.name);
    let ty = input.r#type.as_ref().and_then(|ty| ty.tensor_type.as_ref());
    let Some(ty) = ty else {
        return Err(OnnxError::Invalid(format!("input `{name}` is no tensor")));
    };
    if ty.elem_type == data_type::FLOAT16 || ty.elem_type == data_type::BFLOAT16 {
        return Err(OnnxError::Unsupported(vec![Unsupported {
            operator: "f16".to_owned(),
            count: 1,
            first: format!("input `{name}`"),
            remedy: "the network computes in 16 bits; export it in f32 (weights may be f16)"
                .to_owned(),
        }]));
    }
    let written = written(input);
    let open = || OnnxError::Open {
        input: name.clone(),
        shape: shown(written),
    };
    let rank = written
        .map(<[_]>::len)
        .or(sample.map(<[_]>::len))
        .or(given.map(|dims| dims.len() + 1))
        .ok_or_else(open)?;
    if rank > RANK {
        return Err(OnnxError::Invalid(format!(
            "input `{name}` has {rank} axes"
        )));
    }
    if let Some(given) = given
        && !fits(given, rank, written)
    {
        return Err(OnnxError::Invalid(format!(
            "input `{name}` is {} in the file, batch included: {} does not fit that",
            shown(written),
            text::extents(given)
        )));
    }
    let mut dims = Vec::new();
    for axis in 0..rank {
        let fixed = written.and_then(|dims| dims[axis].dim_value);
        // Some exporters write an open extent as 0 or -1.
        let fixed = fixed.filter(|&n| n > 0);
        let sampled = sample
            .filter(|sample| sample.len() == rank)
            .map(|sample| sample[axis]);
        let given = given.and_then(|given| match given.len() {
            n if n == rank => Some(given[axis]),
            n if n + 1 == rank && axis > 0 => Some(given[axis - 1]),
            _ => None,
        });
        let side = match (rank, axis, picture) {
            (4, 2 | 3, Some(sides)) => Some(sides[axis - 2]),
            _ => None,
        };
        let n = match (given, fixed, sampled.or(side)) {
            (Some(n), None, _) => n,
            (_, Some(n), _) => match usize::try_from(n) {
                Ok(n) if n <= ELEMENTS => n,
                _ => {
                    return Err(OnnxError::Invalid(format!(
                        "input `{name}` is {}",
                        shown(written)
                    )));
                }
            },
            (None, None, Some(n)) => n,
            (None, None, None) if axis == 0 => 1,
            (None, None, None) => return Err(open()),
        };
        dims.push(n);
    }
    match tensor::product(&dims) {
        None => Err(OnnxError::Invalid(format!(
            "input `{name}` of {dims:?} is too large"
        ))),
        Some(0) => Err(OnnxError::Beyond(format!(
            "input `{name}` of {dims:?} has no elements"
        ))),
        Some(_) => Ok(Fed {
            name: input.name.clone(),
            dims,
            float: matches!(ty.elem_type, data_type::FLOAT | data_type::DOUBLE | 0),
        }),
    }
}

/// The extents that the file has; none, if even the number of axes is open.
fn written(input: &ValueInfoProto) -> Option<&[DimensionProto]> {
    let ty = input.r#type.as_ref()?.tensor_type.as_ref()?;
    ty.shape.as_ref().map(|shape| &shape.dim[..])
}

/// Extents of the file, for a message.
fn shown(written: Option<&[DimensionProto]>) -> String {
    let Some(dims) = written else {
        return "a tensor of any shape".to_owned();
    };
    let extents = dims
        .iter()
        .map(|dim| match (&dim.dim_value, &dim.dim_param) {
            (Some(n), _) => n.to_string(),
            (None, Some(param)) => show(param),
            (None, None) => "?".to_owned(),
        });
    extents.collect::<Vec<_>>().join("x")
}

/// Whether given extents, with the batch or without, are those that the file has.
fn fits(given: &[usize], rank: usize, written: Option<&[DimensionProto]>) -> bool {
    let Some(before @ 0..=1) = rank.checked_sub(given.len()) else {
        return false;
    };
    written.is_none_or(|dims| {
        dims[before..].iter().zip(given).all(|(dim, &n)| {
            dim.dim_value
                .is_none_or(|fixed| fixed <= 0 || usize::try_from(fixed) == Ok(n))
        })
    })
}
