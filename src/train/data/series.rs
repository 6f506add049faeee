//! Time series of the UCR and UEA archives: a line each, `0.1,0.2,0.3:0.5,0.4,0.6:label` with as many lists as dimensions.

use super::classes::Labels;
use super::files::read;
use super::reader::Reader;
use super::samples::Samples;
use super::wav::shown;
use super::{Data, DataError};
use std::path::{Path, PathBuf};

impl Reader<'_> {
    /// The series of a file. Of `NAME_TRAIN.ts` the test set is `NAME_TEST.ts` beside it, if it is there.
    pub(super) fn series(&self, path: &Path) -> Result<Data, DataError> {
        let train = self.series_of(path)?;
        let test = partner(path)
            .map(|path| self.series_of(&path))
            .transpose()?;
        Ok(Data {
            kind: "time series".to_owned(),
            train,
            test: test.unwrap_or_default(),
            ..Data::default()
        })
    }

    fn series_of(&self, path: &Path) -> Result<Samples, DataError> {
        let (dimensions, length) = match *self.shape {
            [length] => (1, length),
            [dimensions, length] => (dimensions, length),
            _ => {
                let input = shown(self.shape);
                let why = format!(
                    "series are learned by networks whose input is DIMENSIONSxLENGTH, not {input}"
                );
                return Err(DataError::Shape(path.to_owned(), why));
            }
        };
        let bytes = read(path)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut labels = Labels::default();
        let mut filling = self.filling(path);
        let mut numbers = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            let broken = |why: String| {
                DataError::Broken(path.to_owned(), format!("line {}: {why}", number + 1))
            };
            match line.as_bytes().first() {
                None | Some(b'#') => continue,
                Some(b'@') => {
                    let header = line.to_ascii_lowercase();
                    let mut words = header.split_whitespace();
                    if (words.next(), words.next()) == (Some("@timestamps"), Some("true")) {
                        return Err(broken("series with time stamps are not read".to_owned()));
                    }
                    continue;
                }
                Some(_) => {}
            }
            let Some((values, label)) = line.rsplit_once(':') else {
                return Err(broken("values and `:label` are expected".to_owned()));
            };
            numbers.clear();
            let mut found = 0;
            for series in values.split(':') {
                let before = numbers.len();
                for word in series.split(',') {
                    let value = word
                        .trim()
                        .parse::<f32>()
                        .ok()
                        .filter(|value| value.is_finite());
                    numbers.push(
                        value.ok_or_else(|| broken(format!("`{}` is no number", word.trim())))?,
                    );
                }
                found += 1;
                if numbers.len() - before != length || found > dimensions {
                    let why = format!(
                        "dimension {found} has {} values, but the network's input is {}",
                        numbers.len() - before,
                        shown(self.shape)
                    );
                    return Err(broken(why));
                }
            }
            if found != dimensions {
                let input = shown(self.shape);
                return Err(broken(format!(
                    "{found} dimensions, but the network's input is {input}"
                )));
            }
            let label = labels.number(label.trim(), self, path)?;
            filling.numbers(&numbers, label)?;
        }
        filling.relabel(&labels.numbering(self, path)?);
        Ok(filling.done())
    }
}

/// The test set of a training set.
fn partner(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_str()?.strip_suffix("_TRAIN")?;
    let test = path.with_file_name(format!("{stem}_TEST.ts"));
    test.exists().then_some(test)
}
