//! Typed dense ids and the maps they index; those of the Graph, by which later stages name what they came from.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A dense index with a type of its own.
pub trait Id: Copy + Eq {
    /// The id of that index.
    fn new(index: usize) -> Self;
    /// The index.
    fn index(self) -> usize;
}

/// Declares an id: `id!(/// doc  ValueId, "v");`
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);
        impl $crate::id::Id for $name {
            fn new(index: usize) -> Self {
                $name(index as u32)
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// A growing table whose rows are named by ids.
#[derive(Clone, PartialEq)]
pub struct Map<K, V> {
    rows: Vec<V>,
    key: PhantomData<K>,
}

impl<K: Id, V> Map<K, V> {
    /// An empty table.
    pub fn new() -> Self {
        Map {
            rows: Vec::new(),
            key: PhantomData,
        }
    }
    /// Adds a row and names it.
    pub fn push(&mut self, row: V) -> K {
        self.rows.push(row);
        K::new(self.rows.len() - 1)
    }
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// The row of that id, if there is one.
    pub fn get(&self, id: K) -> Option<&V> {
        self.rows.get(id.index())
    }
    /// Every id, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = K> + use<K, V> {
        (0..self.rows.len()).map(K::new)
    }
    /// Every id and row, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| (K::new(index), row))
    }
    /// Every row, in order.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.rows.iter()
    }
}

impl<K: Id, V> Default for Map<K, V> {
    fn default() -> Self {
        Map::new()
    }
}

impl<K: Id, V> Index<K> for Map<K, V> {
    type Output = V;
    fn index(&self, id: K) -> &V {
        &self.rows[id.index()]
    }
}

impl<K: Id, V> IndexMut<K> for Map<K, V> {
    fn index_mut(&mut self, id: K) -> &mut V {
        &mut self.rows[id.index()]
    }
}

impl<K: Id, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}

crate::id!(
    /// A tensor.
    ValueId, "v"
);
crate::id!(
    /// A layer applied to values.
    NodeId, "n"
);
crate::id!(
    /// A learned (or literal) tensor.
    ParamId, "p"
);
