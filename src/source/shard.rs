//! Which of several processes has a file: a hash of its path says, so that none need know of the others.

use std::fmt;

/// One of so many parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 0.
    pub index: u32,
    /// Of how many.
    pub of: u32,
}

/// Why it is not known which part is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardError(String);

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ShardError {}

/// What a cluster tells its processes.
const KUBERNETES: &str = "JOB_COMPLETION_INDEX";
const SLURM: &str = "SLURM_ARRAY_TASK_ID";
const SLURM_FIRST: &str = "SLURM_ARRAY_TASK_MIN";
const SLURM_LAST: &str = "SLURM_ARRAY_TASK_MAX";
const SLURM_STEP: &str = "SLURM_ARRAY_TASK_STEP";
const SLURM_COUNT: &str = "SLURM_ARRAY_TASK_COUNT";

impl Shard {
    /// The part that is written as `I/N`; as `/N`, whose number the environment says; or as `auto`, where it says both.
    ///
    /// ```
    /// use cnnc::source::Shard;
    /// let shard = Shard::read("/8", &|name| (name == "JOB_COMPLETION_INDEX").then(|| "3".to_owned()))?;
    /// assert_eq!(shard, Shard { index: 3, of: 8 });
    /// # Ok::<(), cnnc::source::ShardError>(())
    /// ```
    ///
    /// # Errors
    /// When it is written otherwise, the environment does not say what it must, or says of ids with gaps.
    pub fn read(
        text: &str,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Shard, ShardError> {
        let refused = |why: String| Err(ShardError(why));
        let (index, of) = match text.split_once('/') {
            _ if text == "auto" => (None, None),
            Some(("", of)) => (None, of.parse().ok()),
            Some((index, of)) => (index.parse::<u32>().ok(), of.parse().ok()),
            None => (None, None),
        };
        let written =
            text == "auto" || (of.is_some() && (index.is_some() || text.starts_with('/')));
        if !written || of == Some(0) {
            return refused(
                "a shard is written as `I/N`, I from 0; as `/N`, where the cluster says I; or as `auto`".to_owned(),
            );
        }
        let number = |name: &str| -> Result<Option<u32>, ShardError> {
            let Some(value) = environment(name) else {
                return Ok(None);
            };
            let number = value.trim().parse().ok();
            let why = || ShardError(format!("{name} is `{value}`, which is no number"));
            number.map(Some).ok_or_else(why)
        };
        let needed = |name: &str, what: &str| {
            number(name)?.ok_or_else(|| ShardError(format!("{name} is not set, which says {what}")))
        };
        let (index, of) = match (index, of) {
            (Some(index), Some(of)) => (index, of),
            (_, of) => match (number(KUBERNETES)?, number(SLURM)?) {
                (Some(index), _) => match of {
                    Some(of) => (index, of),
                    None => {
                        return refused(format!(
                            "{KUBERNETES} says which shard, and nothing of how many: write `--shard /N`"
                        ));
                    }
                },
                (None, Some(id)) => {
                    let first = needed(SLURM_FIRST, "where ids begin")?;
                    let step = number(SLURM_STEP)?.unwrap_or(1);
                    if step != 1 {
                        return refused(format!(
                            "{SLURM_STEP} is {step}: ids with a step leave shards out; let them be 0-{}",
                            of.map_or_else(|| "N".to_owned(), |of| (of - 1).to_string())
                        ));
                    }
                    let count = number(SLURM_COUNT)?;
                    if let (Some(last), Some(count)) = (number(SLURM_LAST)?, count)
                        && last.checked_sub(first).and_then(|more| more.checked_add(1))
                            != Some(count)
                    {
                        return refused(format!(
                            "the array has {count} ids between {first} and {last}: ids with gaps leave shards out"
                        ));
                    }
                    if let (Some(of), Some(count)) = (of, count)
                        && of != count
                    {
                        return refused(format!(
                            "the array has {count} ids, where {of} shards are asked for: write `I/{of}` to do one of them again"
                        ));
                    }
                    let of = match of {
                        Some(of) => of,
                        None => needed(SLURM_COUNT, "how many shards there are")?,
                    };
                    match id.checked_sub(first) {
                        Some(index) => (index, of),
                        None => {
                            return refused(format!(
                                "{SLURM} is {id}, less than {SLURM_FIRST}, {first}"
                            ));
                        }
                    }
                }
                (None, None) => {
                    return refused(format!(
                        "neither {KUBERNETES} nor {SLURM} is set, one of which says which shard this is"
                    ));
                }
            },
        };
        match index < of {
            true => Ok(Shard { index, of }),
            false => refused(format!(
                "there is no shard {index} of {of}: they count from 0"
            )),
        }
    }

    /// Whether the file with this path, relative to its folder and with `/` between names, is in it.
    pub fn has(self, key: &[u8]) -> bool {
        // The high part of a product is spread as evenly as the hash.
        let product = u128::from(hash(key)) * u128::from(self.of);
        (product >> 64) as u32 == self.index
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// FNV-1a of 64 bits, whose high bits are then mixed with the low ones as MurmurHash3 ends (Appleby, `fmix64`).
fn hash(bytes: &[u8]) -> u64 {
    let of = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, of);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ hash >> 33).wrapping_mul(factor);
    }
    hash ^ hash >> 33
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, set: &[(&str, &str)]) -> Result<Shard, String> {
        let environment = |name: &str| {
            let found = set.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Shard::read(text, &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_in_one_shard_and_shards_are_alike() {
        for of in [1, 3, 8, 1000] {
            let mut counts = vec![0_u32; of as usize];
            for number in 0..20_000 {
                let key = format!("a/{number:06}.jpg");
                let in_shards = (0..of).filter(|&index| Shard { index, of }.has(key.as_bytes()));
                let in_shards: Vec<u32> = in_shards.collect();
                assert_eq!(in_shards.len(), 1, "{key}");
                counts[in_shards[0] as usize] += 1;
            }
            let even = 20_000.0 / f64::from(of);
            let most = f64::from(*counts.iter().max().unwrap());
            assert!(
                most < even + 5.0 * even.sqrt() + 1.0,
                "{most} where {even} would be even"
            );
        }
    }

    /// What was divided once is divided likewise ever after: a job that goes on may run a later release.
    #[test]
    fn hashes_stay() {
        assert_eq!(hash(b""), 0xefd0_1f60_ba99_2926);
        assert_eq!(hash(b"a/b.jpg"), 0x35f8_a616_4e30_8fa3);
    }

    #[test]
    fn shards_are_told_by_the_cluster() {
        let shard = |index, of| Ok(Shard { index, of });
        assert_eq!(read("2/5", &[]), shard(2, 5));
        assert_eq!(read("/5", &[(KUBERNETES, "4")]), shard(4, 5));
        let array = |id| {
            [
                (SLURM, id),
                (SLURM_FIRST, "10"),
                (SLURM_LAST, "13"),
                (SLURM_COUNT, "4"),
                (SLURM_STEP, "1"),
            ]
        };
        assert_eq!(read("/4", &array("12")), shard(2, 4));
        assert_eq!(read("auto", &array("13")), shard(3, 4));
        // Without the flag nobody looks; what is written is what holds.
        assert_eq!(read("0/4", &array("13")), shard(0, 4));
    }

    #[test]
    fn what_the_cluster_says_may_be_no_shard() {
        let array = |step, count, last| {
            [
                (SLURM, "3"),
                (SLURM_FIRST, "1"),
                (SLURM_STEP, step),
                (SLURM_COUNT, count),
                (SLURM_LAST, last),
            ]
        };
        for (text, set, why) in [
            ("5/5", &[][..], "there is no shard 5 of 5"),
            ("1", &[], "a shard is written as `I/N`"),
            ("a/2", &[], "a shard is written as `I/N`"),
            ("/0", &[], "a shard is written as `I/N`"),
            ("-1/2", &[], "a shard is written as `I/N`"),
            (
                "/3",
                &[],
                "neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID is set",
            ),
            ("auto", &[(KUBERNETES, "1")], "nothing of how many"),
            ("/2", &[(KUBERNETES, "2")], "there is no shard 2 of 2"),
            ("/2", &[(KUBERNETES, "two")], "`two`, which is no number"),
            ("/2", &[(SLURM, "1")], "SLURM_ARRAY_TASK_MIN is not set"),
            (
                "auto",
                &[(SLURM, "1"), (SLURM_FIRST, "1")],
                "SLURM_ARRAY_TASK_COUNT is not set",
            ),
            ("/4", &array("2", "4", "7"), "ids with a step"),
            ("auto", &array("2", "4", "7"), "ids with a step"),
            ("auto", &array("1", "3", "7"), "ids with gaps"),
            (
                "/4",
                &array("1", "3", "3"),
                "write `I/4` to do one of them again",
            ),
        ] {
            let said = read(text, set).unwrap_err();
            assert!(said.contains(why), "{text} {set:?}: {said}");
        }
    }
}
