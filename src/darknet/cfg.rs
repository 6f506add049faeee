//! The text of a `.cfg`: sections of settings, read as darknet's own reader does.

use super::error::{CfgError, Mistake};
use cnnc_compiler::words;

/// Longest file that is read.
const MAX_BYTES: usize = 1 << 20;

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

/// Splits a file into sections. Blanks mean nothing, `#` and `;` begin comments.
pub(super) fn parse(file: &[u8]) -> Result<Vec<Section>, CfgError> {
    if file.len() > MAX_BYTES {
        let bytes = file.len();
        return Err(CfgError::file(Mistake::TooLarge { bytes }));
    }
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let mut sections: Vec<Section> = Vec::new();
    for (index, bytes) in file.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(CfgError::line(line, Mistake::NotUtf8));
        };
        // Darknet knows comments at the start of lines only; what stands behind one elsewhere it happens not to read either.
        let text = text.split(['#', ';']).next().unwrap_or_default();
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if text.is_empty() {
            continue;
        }
        if let Some(name) = text.strip_prefix('[') {
            let Some(name) = name.strip_suffix(']') else {
                return Err(CfgError::line(line, Mistake::NotASetting));
            };
            sections.push(Section {
                name: name.to_owned(),
                line,
                settings: Vec::new(),
            });
            continue;
        }
        let Some((key, value)) = text.split_once('=') else {
            return Err(CfgError::line(line, Mistake::NotASetting));
        };
        let Some(section) = sections.last_mut() else {
            return Err(CfgError::line(line, Mistake::NoSection));
        };
        section.settings.push(Setting {
            key: key.to_owned(),
            value: value.to_owned(),
            line,
        });
    }
    Ok(sections)
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

    /// Checks that every key is known: one that is read, or one that only training has a use for.
    pub fn check_keys(&self, read: &str, training: &str) -> Result<(), CfgError> {
        for setting in &self.settings {
            let key = setting.key.as_str();
            let known = |keys: &str| keys.split(' ').any(|known| known == key);
            if !known(read) && !known(training) {
                let read: Vec<&str> = read.split(' ').collect();
                let nearest = words::nearest(key, &read).map(str::to_owned);
                return Err(self.key_error(key, Mistake::UnknownKey { nearest }));
            }
        }
        Ok(())
    }

    /// As darknet: of a key that stands twice, the first counts.
    fn find(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// What a key says.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.find(key).map(|setting| setting.value.as_str())
    }

    /// A whole number.
    pub fn int(&self, key: &str, default: usize, least: usize) -> Result<usize, CfgError> {
        Ok(self.maybe_int(key, least)?.unwrap_or(default))
    }

    /// A whole number, if it is there.
    pub fn maybe_int(&self, key: &str, least: usize) -> Result<Option<usize>, CfgError> {
        /// Larger than anything that fits into memory.
        const MOST: usize = 1 << 31;
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let value: i64 = match text.parse() {
            Ok(value) => value,
            Err(_) => return Err(self.not_a_number(key, text)),
        };
        match usize::try_from(value) {
            Ok(value) if (least..=MOST).contains(&value) => Ok(Some(value)),
            _ => Err(self.key_error(
                key,
                Mistake::Range {
                    value: text.to_owned(),
                    least: least as i64,
                    most: MOST as i64,
                },
            )),
        }
    }

    /// A number, finite.
    pub fn number(&self, key: &str, default: f64) -> Result<f64, CfgError> {
        match self.text(key) {
            None => Ok(default),
            Some(text) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(value),
                _ => Err(self.not_a_number(key, text)),
            },
        }
    }

    /// Numbers with commas between them; none where the key is missing.
    pub fn numbers(&self, key: &str) -> Result<Vec<f64>, CfgError> {
        self.list(key, |text| {
            text.parse::<f64>().ok().filter(|value| value.is_finite())
        })
    }

    /// Whole numbers, negative ones too, with commas between them; none where the key is missing.
    pub fn ints(&self, key: &str) -> Result<Vec<i64>, CfgError> {
        self.list(key, |text| text.parse().ok())
    }

    fn list<T>(&self, key: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, CfgError> {
        let text = self.text(key).unwrap_or_default();
        // Lists may run out in a comma.
        let items = text.split(',').filter(|item| !item.is_empty());
        let item = |item| read(item).ok_or_else(|| self.not_a_number(key, item));
        items.map(item).collect()
    }

    fn not_a_number(&self, key: &str, value: &str) -> CfgError {
        let value = value.to_owned();
        self.key_error(key, Mistake::NotANumber { value })
    }

    /// Refuses any of these keys where it is switched on.
    pub fn refuse(&self, keys: &str) -> Result<(), CfgError> {
        for key in keys.split(' ') {
            if let Some(value) = self.text(key)
                && !matches!(value, "0" | "0.0" | "0." | ".0" | "none")
            {
                return Err(self.unsupported(Some(key), format!("`{key}={value}`")));
            }
        }
        Ok(())
    }
}
