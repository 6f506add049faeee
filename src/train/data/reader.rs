//! How files become samples of a network.

use super::ahead::{unbroken, views};
use super::files::{entries, within};
use super::filling::{Filling, MOST};
use super::gathered::Gathered;
use super::region_rows::takes_regions;
use super::room::room;
use super::samples::Samples;
use super::told::Told;
use super::{Data, DataError};
use cnnc_compiler::graph::{Graph, Hearing};
use cnnc_compiler::recipe::DataKind;
use cnnc_compiler::shape::Shape;
use cnnc_runtime::image::{Picture, PreProcess};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

/// How files become samples of a network.
pub(super) struct Reader<'g> {
    pub network: &'g str,
    /// How pictures become its input, if it takes pictures.
    pub pre: Option<&'g PreProcess>,
    /// How it hears sounds.
    pub hearing: Hearing,
    /// Extents of its input.
    pub shape: &'g [usize],
    /// Its classes, and what they are called, if they have names.
    pub classes: usize,
    pub labels: Vec<String>,
    /// Whether it finds boxes.
    pub detects: bool,
    /// What its loss is told of one box, or of points, if it finds these.
    pub told: Option<Told>,
    /// How many proposed regions it takes beside a picture, if it does.
    pub regions: Option<usize>,
    /// Whether it has a class for each pixel.
    pub segments: bool,
    /// What of samples is learned at a time; where classes are identities, there are as many as there are.
    pub gathered: Gathered,
    /// Labels in the order of their classes, once a set has said so.
    pub order: OnceCell<Vec<String>>,
    /// Shape of what it makes.
    pub output: &'g Shape,
    /// Pixels along each edge of the input that this leaves out.
    pub margin: f64,
    /// Bytes that pictures may take.
    pub most: usize,
    /// Columns of tables that are named: of the label, and in front of it that of the picture.
    pub columns: Vec<String>,
    /// Whether pictures of classes are not read until they are needed, which is once.
    pub unread: bool,
}

impl<'g> Reader<'g> {
    pub fn new(network: &'g Graph, most: Option<usize>) -> Reader<'g> {
        let input = network.inputs.first();
        let raw = &network.values[network.outputs[0].value].shape;
        let head = network.head.as_ref();
        let gathered = gathered_by(network);
        let labels = network.answer_head();
        let labels = labels.labels.iter().map(|label| label.to_string());
        Reader {
            network: &network.name,
            pre: input.and_then(|input| input.pre.as_ref()),
            hearing: input.and_then(|input| input.hearing).unwrap_or_default(),
            shape: input.map_or(&[], |input| network.values[input.value].shape.dims()),
            classes: if gathered != Gathered::Each {
                u32::MAX as usize
            } else {
                raw.channels()
            },
            detects: head.is_some_and(|head| head.decl.detects),
            told: Told::of(network),
            regions: takes_regions(network),
            segments: head.is_some_and(|head| head.decl.keyword == "segment"),
            gathered,
            labels: labels.collect(),
            order: OnceCell::new(),
            output: raw,
            margin: head.and_then(|head| head.number("margin")).unwrap_or(0.0),
            most: most.map_or_else(room, |most| most.min(MOST)),
            columns: Vec::new(),
            unread: false,
        }
    }

    /// The same for those that judge a network by each sample once.
    pub fn to_judge(network: &'g Graph) -> Reader<'g> {
        let reader = Reader::new(network, None);
        let one = reader.output.elements() == reader.classes || reader.gathered != Gathered::Each;
        Reader {
            unread: one && reader.told.is_none(),
            ..reader
        }
    }

    /// What lies at a path, of a kind, or of one that the files tell.
    pub fn open(&self, path: &Path, kind: Option<DataKind>) -> Result<Data, DataError> {
        if kind == Some(DataKind::Identities) && self.gathered == Gathered::Each {
            let why = "identities are compared, by `head embed` or a `head verify` of two pictures; folders of classes are `folder`";
            return Err(DataError::Broken(path.to_owned(), why.to_owned()));
        }
        let found = std::fs::metadata(path);
        let found = found.map_err(|error| DataError::File(path.to_owned(), error))?;
        let data = match found.is_dir() {
            true => self.open_folder(path, kind)?,
            false => self.open_file(path, kind)?,
        };
        let mut data = data.ok_or_else(|| match kind {
            Some(kind) => DataError::NotThat(path.to_owned(), kind.name()),
            None => DataError::Unknown(path.to_owned()),
        })?;
        for samples in [&mut data.train, &mut data.test] {
            if samples.labels_each() == 1 {
                samples.gathered = self.gathered;
            }
        }
        Ok(data)
    }

    fn open_folder(&self, path: &Path, kind: Option<DataKind>) -> Result<Option<Data>, DataError> {
        let (folders, files): (Vec<_>, Vec<_>) =
            entries(path)?.into_iter().partition(|path| path.is_dir());
        let wanted = |of: DataKind| kind.is_none_or(|kind| kind == of);
        if wanted(DataKind::Idx)
            && let Some(data) = self.idx(&files)?
        {
            return Ok(Some(data));
        }
        if wanted(DataKind::Cifar)
            && let Some(data) = self.strips(&files)?
        {
            return Ok(Some(data));
        }
        if (wanted(DataKind::Voc) || wanted(DataKind::Yolo))
            && let Some(data) = self.boxes(path, kind)?
        {
            return Ok(Some(data));
        }
        if wanted(DataKind::Pictures)
            && let Some(data) = self.pairs(path)?
        {
            return Ok(Some(data));
        }
        if wanted(DataKind::Wav)
            && let Some(data) = self.sounds(path, &files)?
        {
            return Ok(Some(data));
        }
        let of_folders =
            wanted(DataKind::Folder) || matches!(kind, Some(DataKind::Wav | DataKind::Identities));
        let any = !folders.is_empty() && of_folders;
        any.then(|| self.folders(path, &folders)).transpose()
    }

    fn open_file(&self, path: &Path, kind: Option<DataKind>) -> Result<Option<Data>, DataError> {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or("");
        let kind = kind.or(match end.to_ascii_lowercase().as_str() {
            "csv" => Some(DataKind::Csv),
            "ts" => Some(DataKind::Ts),
            "npz" => Some(DataKind::Npz),
            _ => None,
        });
        match kind {
            Some(DataKind::Csv) => match self.told {
                Some(Told::Points { points, .. }) if self.pre.is_some() => {
                    if !self.columns.is_empty() {
                        let why = "of points no columns are named: a path, then x and y of each";
                        return Err(DataError::Broken(path.to_owned(), why.to_owned()));
                    }
                    self.points(path, points).map(Some)
                }
                _ => self.csv(path).map(Some),
            },
            Some(DataKind::Ts) => self.series(path).map(Some),
            Some(DataKind::Npz) => self.volumes(path).map(Some),
            _ => Ok(None),
        }
    }

    /// Numbers of a sample.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// What is read from a place.
    pub fn filling(&self, from: &Path) -> Filling {
        Filling::new(from, self.elements(), self.classes, self.pre)
    }

    /// What is read from a place, with so many numbers behind each picture.
    pub fn filling_of_regions(&self, from: &Path, more: usize) -> Filling {
        Filling::new(from, self.elements() + more, self.classes, None)
    }

    /// The same of numbers that are inputs as they are.
    pub fn filling_of_numbers(&self, from: &Path) -> Filling {
        Filling::new(from, self.elements(), self.classes, None)
    }

    /// How pictures become the input.
    pub fn sight(&self) -> Result<&'g PreProcess, DataError> {
        self.pre
            .ok_or_else(|| DataError::NoPicture(self.network.to_owned()))
    }

    /// Makes samples of pictures with their classes.
    pub fn pictures(
        &self,
        from: &Path,
        count: usize,
        pictures: impl Iterator<Item = Result<(Picture, u32), DataError>>,
    ) -> Result<Samples, DataError> {
        let pre = self.sight()?;
        let mut filling = self.filling(from);
        filling.reserve(count)?;
        let name = from.display().to_string();
        for picture in pictures {
            let (picture, class) = picture?;
            let seen = pre.see(&picture, &name).map_err(DataError::Picture)?;
            filling.picture(seen, class)?;
        }
        Ok(filling.done())
    }

    /// Makes samples of picture files with their classes. Files that cannot be read as pictures are left out, if they are few; those that are not read yet
    /// are left out by those who judge.
    pub fn picture_files(
        &self,
        from: &Path,
        files: &[(PathBuf, u32)],
    ) -> Result<(Samples, Vec<String>), DataError> {
        let pre = self.sight()?;
        let mut filling = self.filling(from);
        let most = if self.unread { 0 } else { self.most };
        filling.reserve_files(files.len(), None, most)?;
        if self.unread {
            for (path, class) in files {
                filling.unread(path.clone(), *class)?;
                filling.name(within(from, path));
            }
            return Ok((filling.done(), Vec::new()));
        }
        let mut broken = Vec::new();
        let mut paths = files.iter().map(|(path, _)| path.as_path());
        views(&mut paths, pre, &mut |at, viewed| {
            let (path, class) = &files[at];
            if let Some(viewed) = unbroken(from, viewed, files.len(), &mut broken)? {
                filling.picture_of(path.clone(), viewed.seen, *class)?;
                filling.name(within(from, path));
            }
            Ok(())
        })?;
        Ok((filling.done(), broken))
    }
}

/// What of samples a network learns at a time: those that compare two pictures learn pairs.
pub(in crate::train) fn gathered_by(network: &Graph) -> Gathered {
    let head = network.head.as_ref().map(|head| head.decl.keyword);
    let pictures = network.inputs.iter().all(|input| input.pre.is_some());
    match head {
        Some("embed") => Gathered::Identities,
        Some("verify") if pictures && takes_two_alike(network) => Gathered::Pairs,
        _ => Gathered::Each,
    }
}

/// Whether a network takes two inputs of one kind: of one shape, made in one way.
pub(in crate::train) fn takes_two_alike(network: &Graph) -> bool {
    match network.inputs.as_slice() {
        [one, other] => {
            let shape = |value| &network.values[value].shape;
            one.pre == other.pre && shape(one.value) == shape(other.value)
        }
        _ => false,
    }
}

/// Whether an array has these extents, but for those of 1 in front.
pub(super) fn shape_is(found: &[usize], wanted: &[usize]) -> bool {
    let ones = wanted.iter().take_while(|&&extent| extent == 1).count();
    (0..=ones).any(|skipped| found == &wanted[skipped..])
}
