//! The text of a `.cfg`: sections of settings, read as darknet's own reader does.
//!
//! Darknet takes every blank out of a line. What begins with `[` is a section, with `#` or `;` a comment, and with anything else a
//! setting; a line without `=` says nothing to it, and neither does a key that no layer asks for. Of keys that stand twice, the
//! first counts. Lines are bytes: comments may be in any encoding.

use super::error::{CfgError, Mistake};
use super::number;
use cnnc_compiler::limits;

/// Longest file that is read.
pub const MAX_BYTES: usize = 1 << 20;
/// Largest whole number that is taken: the language's own limit of extents.
pub(super) const MOST: usize = limits::EXTENT as usize;

/// `[name]` and its settings.
#[derive(Debug)]
pub(super) struct Section {
    pub name: String,
    pub line: usize,
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    key: String,
    value: String,
    line: usize,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct Cfg {
    pub sections: Vec<Section>,
    /// Lines that are no setting.
    pub stray: Vec<usize>,
}

/// Splits a file into sections.
pub(super) fn parse(file: &[u8]) -> Result<Cfg, CfgError> {
    if file.len() > MAX_BYTES {
        let bytes = file.len();
        return Err(CfgError::file(Mistake::TooLarge { bytes }));
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut sections: Vec<Section> = Vec::new();
    let mut stray = Vec::new();
    for (index, bytes) in file.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        let mut bytes = bytes.to_vec();
        bytes.retain(|byte| !byte.is_ascii_whitespace());
        if matches!(bytes.first(), None | Some(b'#' | b';')) {
            continue;
        }
        let text = String::from_utf8_lossy(&bytes);
        if let Some(name) = text.strip_prefix('[') {
            let Some((name, rest)) = name.split_once(']') else {
                return Err(CfgError::line(line, Mistake::NotASetting));
            };
            if !rest.is_empty() && !rest.starts_with(['#', ';']) {
                return Err(CfgError::line(line, Mistake::NotASetting));
            }
            sections.push(Section {
                name: name.to_owned(),
                line,
                settings: Vec::new(),
            });
            continue;
        }
        let setting = text.split_once('=').filter(|(_, value)| !value.is_empty());
        match (setting, sections.last_mut()) {
            (Some((key, value)), Some(section)) => section.settings.push(Setting {
                key: key.to_owned(),
                value: value.to_owned(),
                line,
            }),
            (None, Some(_)) => stray.push(line),
            // Where no section has begun, darknet does not run, and the file is most likely something else.
            (Some(_), None) => return Err(CfgError::line(line, Mistake::NoSection)),
            (None, None) => return Err(CfgError::line(line, Mistake::NotASetting)),
        }
    }
    Ok(Cfg { sections, stray })
}

impl Section {
    /// An error about the section.
    pub fn error(&self, mistake: Mistake) -> CfgError {
        CfgError {
            line: self.line,
            section: Some(self.name.clone()),
            key: None,
            mistake,
        }
    }

    /// An error about a key, at its line if it has one.
    pub fn key_error(&self, key: &str, mistake: Mistake) -> CfgError {
        CfgError {
            line: self.find(key).map_or(self.line, |setting| setting.line),
            section: Some(self.name.clone()),
            key: Some(key.to_owned()),
            mistake,
        }
    }

    /// Refuses what the section, or the key if one is named, says.
    pub fn unsupported(&self, key: Option<&str>, what: impl Into<String>) -> CfgError {
        let mistake = Mistake::Unsupported { what: what.into() };
        match key {
            Some(key) => self.key_error(key, mistake),
            None => self.error(mistake),
        }
    }

    /// Refuses operands.
    pub fn shapes(&self, why: impl Into<String>) -> CfgError {
        self.error(Mistake::Shapes { why: why.into() })
    }

    /// The keys that are written, with their values and lines.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str, usize)> {
        let settings = self.settings.iter();
        settings.map(|setting| (&*setting.key, &*setting.value, setting.line))
    }

    fn find(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// What a key says.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.find(key).map(|setting| setting.value.as_str())
    }

    /// Whether a key is there and no zero, as darknet asks.
    pub fn flag(&self, key: &str) -> Result<bool, CfgError> {
        Ok(self.signed(key)?.is_some_and(|value| value != 0))
    }

    /// A whole number.
    pub fn int(&self, key: &str, default: usize, least: usize) -> Result<usize, CfgError> {
        Ok(self.maybe_int(key, least)?.unwrap_or(default))
    }

    /// A whole number, if it is there.
    pub fn maybe_int(&self, key: &str, least: usize) -> Result<Option<usize>, CfgError> {
        let Some(value) = self.signed(key)? else {
            return Ok(None);
        };
        match usize::try_from(value) {
            Ok(value) if (least..=MOST).contains(&value) => Ok(Some(value)),
            _ => {
                let value = self.text(key).unwrap_or_default().to_owned();
                let (least, most) = (least as i64, MOST as i64);
                Err(self.key_error(key, Mistake::Range { value, least, most }))
            }
        }
    }

    /// A whole number of either sign, if it is there.
    pub fn signed(&self, key: &str) -> Result<Option<i64>, CfgError> {
        match self.text(key) {
            None => Ok(None),
            Some(text) => match number::whole(text) {
                Some(value) => Ok(Some(value)),
                None => Err(self.not_a_number(key, text)),
            },
        }
    }

    /// A number, finite.
    pub fn number(&self, key: &str, default: f64) -> Result<f64, CfgError> {
        match self.text(key) {
            None => Ok(default),
            Some(text) => number::real(text).ok_or_else(|| self.not_a_number(key, text)),
        }
    }

    /// Whole numbers with commas between them; none where the key is missing.
    pub fn ints(&self, key: &str) -> Result<Vec<i64>, CfgError> {
        let text = self.text(key).unwrap_or_default();
        self.items(key, text, number::whole).collect()
    }

    /// Whole numbers with commas between them, up to a `#`; none where the key is missing.
    pub fn ints_to_comment(&self, key: &str) -> Result<Vec<i64>, CfgError> {
        let text = self.text(key).unwrap_or_default();
        let text = text.split('#').next().unwrap_or_default();
        self.items(key, text, number::whole).collect()
    }

    /// The first `most` of numbers with commas between them; none where the key is missing.
    pub fn numbers(&self, key: &str, most: usize) -> Result<Vec<f64>, CfgError> {
        let text = self.text(key).unwrap_or_default();
        self.items(key, text, number::real).take(most).collect()
    }

    fn items<'s, T>(
        &'s self,
        key: &'s str,
        text: &'s str,
        read: impl Fn(&str) -> Option<T> + 's,
    ) -> impl Iterator<Item = Result<T, CfgError>> + 's {
        // Lists may run out in a comma.
        let items = text.split(',').filter(|item| !item.is_empty());
        items.map(move |item| read(item).ok_or_else(|| self.not_a_number(key, item)))
    }

    fn not_a_number(&self, key: &str, value: &str) -> CfgError {
        let value = value.to_owned();
        self.key_error(key, Mistake::NotANumber { value })
    }

    /// Refuses any of these keys where it is switched on.
    pub fn refuse(&self, keys: &[&str]) -> Result<(), CfgError> {
        for &key in keys {
            let value = self.text(key).unwrap_or_default();
            if number::real(value).is_some_and(|number| number != 0.0) {
                return Err(self.unsupported(Some(key), format!("`{key}={value}`")));
            }
        }
        Ok(())
    }
}
