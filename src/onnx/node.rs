//! A node's attributes, checked as they are asked for.

use super::error::{Why, invalid, show};
use super::proto::{AttributeProto, TensorProto, attribute_type as ty};
use super::tensor::AXES;

/// The attributes of a node, as they lie in the file, with the names that the node has for them.
pub(super) struct Attrs<'a>(pub Vec<(&'a str, &'a AttributeProto)>);

impl<'a> Attrs<'a> {
    /// What is called so, if it is there.
    pub fn get(&self, name: &str) -> Option<&'a AttributeProto> {
        let mut all = self.0.iter();
        all.find(|(own, _)| *own == name).map(|(_, found)| *found)
    }

    fn find(&self, name: &str, kind: i32) -> Result<Option<&'a AttributeProto>, Why> {
        let Some(found) = self.get(name) else {
            return Ok(None);
        };
        // Old files do not say the type.
        match found.r#type == kind || found.r#type == 0 {
            true => Ok(Some(found)),
            false => invalid(format!(
                "attribute `{}` is of another type than the operator's",
                show(name)
            )),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn int(&self, name: &str, default: i64) -> Result<i64, Why> {
        Ok(self.find(name, ty::INT)?.map_or(default, |found| found.i))
    }

    pub fn float(&self, name: &str, default: f32) -> Result<f32, Why> {
        Ok(self.find(name, ty::FLOAT)?.map_or(default, |found| found.f))
    }

    pub fn ints(&self, name: &str) -> Result<Option<&'a [i64]>, Why> {
        Ok(self.find(name, ty::INTS)?.map(|found| &*found.ints))
    }

    pub fn floats(&self, name: &str) -> Result<Option<&'a [f32]>, Why> {
        Ok(self.find(name, ty::FLOATS)?.map(|found| &*found.floats))
    }

    pub fn text(&self, name: &str, default: &str) -> Result<String, Why> {
        Ok(self
            .find(name, ty::STRING)?
            .map_or(default.to_owned(), |found| {
                String::from_utf8_lossy(&found.s).into_owned()
            }))
    }

    pub fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>, Why> {
        Ok(self
            .find(name, ty::TENSOR)?
            .and_then(|found| found.t.as_deref()))
    }

    /// Extents: whole numbers that are not negative, and of a size that a network may have.
    pub fn extents(&self, name: &str) -> Result<Option<Vec<usize>>, Why> {
        let Some(list) = self.ints(name)? else {
            return Ok(None);
        };
        let sound = |&n: &i64| usize::try_from(n).ok().filter(|&n| n <= 1 << 24);
        match list.iter().map(sound).collect() {
            Some(list) => Ok(Some(list)),
            None => invalid(format!("`{name}` is {list:?}")),
        }
    }
}

/// An axis counted from the end if it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> Result<usize, Why> {
    let counted = if axis < 0 {
        axis.saturating_add(rank as i64)
    } else {
        axis
    };
    match usize::try_from(counted) {
        Ok(at) if at < rank => Ok(at),
        _ => invalid(format!("axis {axis} of a tensor with {rank} axes")),
    }
}

/// Axes, each once.
pub(super) fn axes(list: &[i64], rank: usize) -> Result<Vec<usize>, Why> {
    if list.len() > AXES {
        return invalid(format!("{} axes, more than a tensor has", list.len()));
    }
    let mut all = Vec::with_capacity(list.len());
    for &one in list {
        let at = axis(one, rank)?;
        if all.contains(&at) {
            return invalid(format!("axis {one} stands twice"));
        }
        all.push(at);
    }
    Ok(all)
}
