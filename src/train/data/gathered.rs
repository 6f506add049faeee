//! Samples of identities, which are learned together with others.

use super::Samples;

/// What of samples is learned at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gathered {
    /// Each by itself.
    #[default]
    Each,
    /// Two at a time, which are of one identity or not, by a network of two inputs.
    Pairs,
    /// Each by itself, in batches that have several of each identity.
    Identities,
}

impl Samples {
    /// The same samples, whose classes are identities.
    pub fn gather(self, gathered: Gathered) -> Samples {
        Samples { gathered, ..self }
    }

    /// What of them is learned at a time.
    pub fn gathered(&self) -> Gathered {
        self.gathered
    }

    /// How many of them a network takes at a time.
    pub fn together(&self) -> usize {
        match self.gathered {
            Gathered::Pairs => 2,
            Gathered::Each | Gathered::Identities => 1,
        }
    }

    /// Whether their classes are identities.
    pub(in crate::train) fn are_identities(&self) -> bool {
        self.gathered != Gathered::Each
    }

    /// What a sample's identity is called, if it has a folder of its own: elsewhere labels say what it is, whatever folders there are.
    pub fn identity(&self, index: usize) -> Option<&str> {
        if !self.foldered {
            return None;
        }
        let (folder, _) = self.name(index)?.rsplit_once('/')?;
        Some(folder)
    }
}
