//! The loop over the images of a training step: what is written for one image becomes its body, and what is better computed for all at once leaves it.

use crate::id::Id;
use crate::loops::{Affine, BufferId, For, Place, Stmt};
use crate::lower::{ConvJob, Lower, Storage};
use std::collections::HashMap;

/// Chunks of images that have scratch memory of their own, at most.
const CHUNKS: usize = 16;

/// Statements for one image that are being written.
pub(super) struct Open {
    /// The first buffer that has been made for them.
    first: usize,
    /// The section that they become a part of.
    section: Vec<Vec<Stmt>>,
    /// Parts that loops are cut into outside.
    parts: usize,
}

impl Lower<'_> {
    /// Emits for each image what is written for one.
    pub(super) fn each(&mut self, write: impl FnOnce(&mut Self)) {
        self.open_images();
        write(self);
        self.close_images();
    }

    /// Begins what is written for one image.
    fn open_images(&mut self) {
        let open = Open {
            first: self.buffers.len(),
            section: self.builder.set_aside(),
            parts: self.machine.parts,
        };
        // Threads share images, so that what is done for one is not cut for them.
        if self.count() > 1 {
            self.machine.parts = 1;
        }
        let images = self.images.as_mut().expect("a training step is lowered");
        images.open = Some(open);
    }

    /// Ends what is written for one image, and puts it into a loop over all.
    fn close_images(&mut self) {
        let images = self.images.as_mut().expect("a training step is lowered");
        let Open {
            first,
            section,
            parts,
        } = images.open.take().expect("images are open");
        self.machine.parts = parts;
        let body = self.builder.resume(section);
        if body.is_empty() {
            return;
        }
        let mut scratch: HashMap<BufferId, i64> = HashMap::new();
        for index in first..self.buffers.len() {
            let id = BufferId::new(index);
            match self.buffers[id].place {
                Place::Arena(_) if !self.images().weights.contains(&id) => {
                    scratch.insert(id, self.buffers[id].len as i64);
                }
                Place::Input(_) | Place::Output(_) => {
                    self.widen(id);
                }
                _ => {}
            }
        }
        let count = self.count();
        let chunks = if scratch.is_empty() {
            count
        } else {
            count.min(CHUNKS)
        };
        for &id in scratch.keys() {
            self.buffers[id].len *= chunks;
        }
        let (whole, rest) = (count / chunks, count % chunks);
        let again = (rest > 0).then(|| self.builder.copied(&body));
        let images = self.images.as_mut().expect("a training step is lowered");
        let moved = Moved {
            images: std::mem::take(&mut images.strides),
            scratch,
        };
        let part = |cx: &mut Self, trip: usize, images: usize, first: usize, body: Vec<Stmt>| {
            cx.parallel(trip, |cx, chunk| {
                cx.repeat(images, |cx, image| {
                    let number = chunk.clone().times(images as i64).add(&image);
                    let number = number.offset(first as i64);
                    let body = body
                        .into_iter()
                        .map(|stmt| moved.stmt(stmt, &number, &chunk));
                    cx.builder.put(body.collect());
                });
            });
        };
        part(self, chunks, whole, 0, body);
        if let Some(again) = again {
            part(self, rest, 1, chunks * whole, again);
        }
        let images = self.images.as_mut().expect("a training step is lowered");
        images.strides = moved.images;
    }

    /// The convolution of all images, where one is lowered image by image and nothing of an image is in memory beside tensors.
    pub(in crate::lower) fn of_all_images(&self, job: &ConvJob) -> Option<ConvJob> {
        let images = self.images.as_ref()?;
        let open = images.open.as_ref()?;
        let of_image = |index: usize| {
            let id = BufferId::new(index);
            matches!(self.buffers[id].place, Place::Arena(_)) && !images.weights.contains(&id)
        };
        let busy = (open.first..self.buffers.len()).any(of_image) || !self.builder.outermost();
        if images.count == 1 || busy || !job.merges() {
            return None;
        }
        let tensors = [Some(&job.input), Some(&job.output), job.residual.as_ref()];
        let mut buffers = tensors.into_iter().flatten().map(|storage| storage.buffer);
        let strides = &images.strides;
        let all = |storage: Storage| Storage {
            images: images.count,
            image: strides[&storage.buffer],
            ..storage
        };
        let have = buffers.all(|buffer| strides.contains_key(&buffer));
        have.then(|| job.clone().of_images(all))
    }

    /// Parts that loops are cut into where images are not what threads share.
    pub(in crate::lower) fn parts_of_all(&self) -> usize {
        let open = self.images.as_ref().and_then(|images| images.open.as_ref());
        open.map_or(self.machine.parts, |open| open.parts)
    }

    /// Emits for all images at once what writes a tensor of all of them, between loops over images.
    pub(in crate::lower) fn leave_images(&mut self, to: BufferId, write: impl FnOnce(&mut Self)) {
        // What surrounds a tensor is zeroed for each image.
        let zeroing = self.unzeroed.remove(&to).unwrap_or_default();
        self.builder.before(zeroing);
        self.close_images();
        write(self);
        self.open_images();
    }
}

/// By how much accesses move from image to image, and from chunk to chunk.
pub(super) struct Moved {
    pub images: HashMap<BufferId, i64>,
    pub scratch: HashMap<BufferId, i64>,
}

impl Moved {
    /// The statement for that image of that chunk. Its loops are serial: images are what threads share.
    pub fn stmt(&self, stmt: Stmt, image: &Affine, chunk: &Affine) -> Stmt {
        match stmt {
            Stmt::For(inner) => Stmt::For(For {
                parallel: false,
                body: inner
                    .body
                    .into_iter()
                    .map(|stmt| self.stmt(stmt, image, chunk))
                    .collect(),
                ..inner
            }),
            Stmt::Call(mut call) => {
                for access in call.args.iter_mut().flatten() {
                    let by = match self.images.get(&access.buffer) {
                        Some(&stride) => image.clone().times(stride),
                        None => match self.scratch.get(&access.buffer) {
                            Some(&len) => chunk.clone().times(len),
                            None => continue,
                        },
                    };
                    access.offset = access.offset.clone().add(&by);
                }
                Stmt::Call(call)
            }
        }
    }
}
