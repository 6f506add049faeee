//! The zip container of `.pt` and `.npz` files, with nothing that it claims taken on trust.

use super::blob::Blob;
use super::error::{ArchiveError, Fault, MAX_MEMBERS, Needed};
use super::packed::{damaged, unpacker};
use flate2::Crc;
use rawzip::{CompressionMethod, ErrorKind, RECOMMENDED_BUFFER_SIZE, ZipArchive};
use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

/// Unpacked, a member may be as long as this many archives, or [`MIN_UNPACKED`]. Trained weights shrink by a
/// tenth when compressed; deflate itself can reach a thousand, which is what zip bombs use.
const MAX_GROWTH: u64 = 64;
const MIN_UNPACKED: u64 = 64 << 20;

/// A zip archive.
pub(super) struct Archive<'a> {
    file: &'a Blob,
    members: BTreeMap<String, Member>,
}

/// One file of an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Where its bytes lie in the archive.
    pub range: Range<usize>,
    /// Whether they are compressed.
    pub compressed: bool,
    /// Length when unpacked, as claimed.
    pub len: usize,
    /// Checksum of the unpacked bytes.
    pub crc: u32,
}

impl<'a> Archive<'a> {
    /// Reads the directory.
    pub fn open(file: &'a Blob) -> Result<Archive<'a>, Fault> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let zip = ZipArchive::with_max_search_space(1 << 20).locate_in_reader(
            file,
            &mut buffer,
            file.len() as u64,
        );
        let zip = match zip {
            Ok(zip) => zip,
            Err((_, error)) => match error.kind() {
                ErrorKind::MissingEndOfCentralDirectory | ErrorKind::Eof => {
                    return Err(Fault::truncated(file.len(), needed(file)?));
                }
                _ => return Err(fault(error)),
            },
        };
        let mut members = BTreeMap::new();
        let mut count = 0;
        let mut entries = zip.entries(&mut buffer);
        while let Some(header) = entries.next_entry().map_err(fault)? {
            count += 1;
            if count > MAX_MEMBERS {
                return Err(ArchiveError::TooMany.into());
            }
            let raw = header.file_path();
            let raw = raw.as_ref();
            let name = String::from_utf8_lossy(raw).into_owned();
            if header.is_dir() {
                continue;
            }
            if name.as_bytes() != raw {
                return Err(ArchiveError::Name(name).into());
            }
            let compressed = match header.compression_method() {
                CompressionMethod::STORE => false,
                CompressionMethod::DEFLATE => true,
                _ => return Err(ArchiveError::Method(name).into()),
            };
            if header.flags().is_encrypted() {
                return Err(ArchiveError::Method(name).into());
            }
            let entry = zip.get_entry(header.wayfinder()).map_err(fault)?;
            let (start, end) = entry.compressed_data_range();
            if end > file.len() as u64 {
                let message = format!("`{name}` reaches beyond its end");
                return Err(ArchiveError::Damaged(message).into());
            }
            let len = header.uncompressed_size_hint();
            if !compressed && len != end - start {
                return Err(ArchiveError::Corrupt(name).into());
            }
            let limit = MIN_UNPACKED.max((file.len() as u64).saturating_mul(MAX_GROWTH));
            if len > limit {
                let claimed = len;
                return Err(ArchiveError::Bomb {
                    name,
                    claimed,
                    limit,
                }
                .into());
            }
            let member = Member {
                range: start as usize..end as usize,
                compressed,
                len: usize::try_from(len).map_err(|_| ArchiveError::Corrupt(name.clone()))?,
                crc: header.crc32(),
            };
            if members.insert(name.clone(), member).is_some() {
                return Err(ArchiveError::Name(name).into());
            }
        }
        if zip.entries_hint() != count {
            return Err(ArchiveError::Damaged("its directory is cut short".into()).into());
        }
        apart(&members)?;
        Ok(Archive { file, members })
    }

    /// The file that the archive is.
    pub fn file(&self) -> &'a Blob {
        self.file
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

    /// The first bytes of a member, at most so many, unpacked.
    pub fn start(&self, name: &str, count: usize) -> Result<Vec<u8>, Fault> {
        let corrupt = || ArchiveError::Corrupt(name.to_owned());
        let member = self.members.get(name).ok_or_else(corrupt)?;
        let count = count.min(member.len);
        if !member.compressed {
            let range = member.range.start..member.range.start + count;
            return Ok(self.file.read(range)?.into_owned());
        }
        let mut bytes = Vec::new();
        let unpacked = unpacker(self.file, member.range.clone());
        match unpacked.take(count as u64).read_to_end(&mut bytes) {
            Ok(len) if len == count => Ok(bytes),
            Err(error) if !damaged(&error) => Err(error.into()),
            _ => Err(corrupt().into()),
        }
    }

    /// A member of at most so many bytes, unpacked and checked against its checksum.
    pub fn read(&self, name: &str, limit: usize) -> Result<Vec<u8>, Fault> {
        let corrupt = || ArchiveError::Corrupt(name.to_owned());
        let member = self.members.get(name).ok_or_else(corrupt)?;
        if member.len > limit {
            let (name, claimed, limit) = (name.to_owned(), member.len as u64, limit as u64);
            return Err(ArchiveError::Bomb {
                name,
                claimed,
                limit,
            }
            .into());
        }
        let bytes = self.start(name, limit)?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        match crc.sum() == member.crc {
            true => Ok(bytes),
            false => Err(corrupt().into()),
        }
    }
}

fn fault(error: rawzip::Error) -> Fault {
    match error.kind() {
        ErrorKind::IO(inner) if !damaged(inner) => {
            Fault::Io(std::io::Error::new(inner.kind(), inner.to_string()))
        }
        _ => ArchiveError::Damaged(error.to_string()).into(),
    }
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

/// What stands in front of a member.
pub(super) struct LocalHeader {
    pub name: String,
    /// Where the member begins.
    pub start: usize,
    /// Where it ends; `None` if only what stands behind it says so.
    pub end: Option<usize>,
}

impl LocalHeader {
    const LEN: usize = 30;

    /// The header at that place, if there is one.
    pub fn read(file: &Blob, at: usize) -> Result<Option<LocalHeader>, Fault> {
        let fixed = file.read(at..at.saturating_add(Self::LEN))?;
        if fixed.len() < Self::LEN || !fixed.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
        let long = |at: usize| {
            u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]])
        };
        let (name_len, extra_len) = (usize::from(short(26)), usize::from(short(28)));
        let start = at + Self::LEN + name_len + extra_len;
        let name = file.read(at + Self::LEN..at + Self::LEN + name_len)?;
        let known = short(6) & 8 == 0;
        let packed = match long(18) {
            u32::MAX => {
                let extra = file.read(start - extra_len..start)?;
                // Of more than 4 GiB: both sizes stand in an extra field, the packed one second.
                let sizes = extra
                    .strip_prefix(&[1, 0, 16, 0])
                    .and_then(|sizes| sizes.get(8..16));
                sizes.map(|size| u64::from_le_bytes(size.try_into().expect("eight bytes")))
            }
            packed => Some(packed.into()),
        };
        let end = packed.filter(|_| known).map(|packed| {
            let packed = usize::try_from(packed).unwrap_or(usize::MAX);
            start.saturating_add(packed)
        });
        let name = String::from_utf8_lossy(&name).into_owned();
        Ok(Some(LocalHeader { name, start, end }))
    }
}

/// What an archive needs whose directory, which stands at the end, is missing: the rest of the member in which it ends.
fn needed(file: &Blob) -> Result<Needed, Fault> {
    let mut at = 0;
    while let Some(header) = LocalHeader::read(file, at)? {
        match header.end {
            Some(end) if end > file.len() => return Ok(Needed::AtLeast(end as u64)),
            Some(end) => at = end,
            None => break,
        }
    }
    Ok(Needed::Unknown("its directory, which stands at the end,"))
}
