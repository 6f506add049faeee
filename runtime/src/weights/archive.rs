//! The zip container of `.pt` and `.npz` files, with nothing that it claims taken on trust.

use crate::sniff::{Guess, looks_like};
use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipSliceArchive};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::ops::Range;

/// Most members of an archive.
const MAX_MEMBERS: u64 = 100_000;

/// Unpacked, an archive may grow by this factor, or to [`MIN_UNPACKED`]. Trained weights shrink by a
/// tenth when compressed; deflate itself can reach a thousand, which is what zip bombs use.
const MAX_GROWTH: u64 = 64;
const MIN_UNPACKED: u64 = 64 << 20;

/// A zip archive in memory.
pub(super) struct Archive<'a> {
    zip: ZipSliceArchive<&'a [u8]>,
    members: BTreeMap<String, Member>,
    /// Bytes that may still be unpacked.
    budget: u64,
}

/// One file of an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Where its bytes lie in the archive.
    pub range: Range<usize>,
    /// Whether they are compressed.
    pub compressed: bool,
    /// Length when unpacked, as claimed.
    pub len: u64,
    entry: rawzip::ZipArchiveEntryWayfinder,
}

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveError {
    /// Something else altogether, with a guess what.
    NotZip(Option<&'static str>),
    /// The directory or a header cannot be read; what the zip reader says.
    Damaged(String),
    /// More members than are read.
    TooMany,
    /// A name that is not UTF-8, or stands twice.
    Name(String),
    /// The member is encrypted, or compressed by something else than deflate.
    Method(String),
    /// Two members claim the same bytes.
    Overlap(String, String),
    /// The members would grow beyond all that weights do.
    Bomb {
        /// Bytes of all members, unpacked.
        claimed: u64,
        /// Bytes that are unpacked at most.
        limit: u64,
    },
    /// The member's bytes are not those that were packed.
    Corrupt(String),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveError::NotZip(guess) => write!(f, "not a zip archive{}", Guess(*guess)),
            ArchiveError::Damaged(message) => write!(f, "the zip archive is damaged: {message}"),
            ArchiveError::TooMany => {
                write!(f, "the zip archive has more than {MAX_MEMBERS} members")
            }
            ArchiveError::Name(name) => {
                write!(
                    f,
                    "`{name}` in the zip archive stands twice or is no proper name"
                )
            }
            ArchiveError::Method(name) => {
                write!(
                    f,
                    "`{name}` in the zip archive is encrypted, or not packed by deflate"
                )
            }
            ArchiveError::Overlap(first, second) => {
                write!(
                    f,
                    "`{first}` and `{second}` in the zip archive claim the same bytes"
                )
            }
            ArchiveError::Bomb { claimed, limit } => {
                write!(
                    f,
                    "the zip archive would unpack to {claimed} bytes, more than the {limit} "
                )?;
                f.write_str("that an archive of its size may")
            }
            ArchiveError::Corrupt(name) => {
                write!(
                    f,
                    "`{name}` in the zip archive is damaged: it does not unpack to what was packed"
                )
            }
        }
    }
}

impl std::error::Error for ArchiveError {}

impl<'a> Archive<'a> {
    /// Reads the directory.
    pub fn open(file: &'a [u8]) -> Result<Archive<'a>, ArchiveError> {
        if !file.starts_with(b"PK") {
            return Err(ArchiveError::NotZip(looks_like(file)));
        }
        let zip = ZipArchive::from_slice(file).map_err(damaged)?;
        let mut members = BTreeMap::new();
        let mut claimed = 0u64;
        let mut count = 0;
        for header in zip.entries() {
            let header = header.map_err(damaged)?;
            count += 1;
            if count > MAX_MEMBERS {
                return Err(ArchiveError::TooMany);
            }
            let raw = header.file_path();
            let raw = raw.as_ref();
            let name = String::from_utf8_lossy(raw).into_owned();
            if header.is_dir() {
                continue;
            }
            if name.as_bytes() != raw {
                return Err(ArchiveError::Name(name));
            }
            let compressed = match header.compression_method() {
                CompressionMethod::STORE => false,
                CompressionMethod::DEFLATE => true,
                _ => return Err(ArchiveError::Method(name)),
            };
            if header.flags().is_encrypted() {
                return Err(ArchiveError::Method(name));
            }
            let entry = header.wayfinder();
            let data = zip.get_entry(entry).map_err(damaged)?.data();
            // Both are parts of one slice, so the difference is the offset.
            let start = data.as_ptr().addr() - file.as_ptr().addr();
            let len = header.uncompressed_size_hint();
            if !compressed && len != data.len() as u64 {
                return Err(ArchiveError::Corrupt(name));
            }
            claimed = claimed.saturating_add(len);
            let range = start..start + data.len();
            let member = Member {
                range,
                compressed,
                len,
                entry,
            };
            if members.insert(name.clone(), member).is_some() {
                return Err(ArchiveError::Name(name));
            }
        }
        if zip.entries_hint() != count {
            return Err(ArchiveError::Damaged("its directory is cut short".into()));
        }
        let limit = MIN_UNPACKED.max((file.len() as u64).saturating_mul(MAX_GROWTH));
        if claimed > limit {
            return Err(ArchiveError::Bomb { claimed, limit });
        }
        apart(&members)?;
        Ok(Archive {
            zip,
            members,
            budget: limit,
        })
    }

    /// All members, by name.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.members
            .iter()
            .map(|(name, member)| (name.as_str(), member))
    }

    /// The member of that name.
    pub fn find(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    /// Unpacks a member and checks it against its checksum.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let corrupt = || ArchiveError::Corrupt(name.to_owned());
        let member = self.members.get(name).ok_or_else(corrupt)?;
        self.budget = self.budget.checked_sub(member.len).ok_or_else(corrupt)?;
        let entry = self.zip.get_entry(member.entry).map_err(damaged)?;
        // One byte more than claimed, so that a longer member is noticed and no more is unpacked.
        let limit = member.len.saturating_add(1);
        let mut bytes = Vec::new();
        let unpacked = if member.compressed {
            let reader = entry.verifying_reader(DeflateDecoder::new(entry.data()));
            reader.take(limit).read_to_end(&mut bytes)
        } else {
            entry
                .verifying_reader(entry.data())
                .take(limit)
                .read_to_end(&mut bytes)
        };
        match unpacked {
            Ok(len) if len as u64 == member.len => Ok(bytes),
            _ => Err(corrupt()),
        }
    }
}

fn damaged(error: rawzip::Error) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}

/// Checks that no two members share bytes: what is small and read a thousand times is large.
fn apart(members: &BTreeMap<String, Member>) -> Result<(), ArchiveError> {
    let mut ranges: Vec<_> = members
        .iter()
        .map(|(name, member)| (&member.range, name))
        .collect();
    ranges.sort_by_key(|(range, _)| (range.start, range.end));
    match ranges
        .windows(2)
        .find(|pair| pair[0].0.end > pair[1].0.start)
    {
        Some(pair) => Err(ArchiveError::Overlap(pair[0].1.clone(), pair[1].1.clone())),
        None => Ok(()),
    }
}
