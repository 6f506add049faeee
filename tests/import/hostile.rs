//! Configurations that nobody means well with: an error with its line, at once, whatever they say.

use super::options;
use cnnc::darknet::{CfgError, Mistake, import};
use std::time::{Duration, Instant};

const NET: &str = "[net]\nwidth=32\nheight=32\nchannels=3\n";

#[track_caller]
fn refused(cfg: &[u8]) -> CfgError {
    let start = Instant::now();
    let result = import(cfg, &options());
    assert!(start.elapsed() < Duration::from_secs(5), "it took too long");
    match result {
        Ok(spec) => panic!("it was imported:\n{spec}"),
        Err(error) => {
            let text = error.to_string();
            assert!(text.len() < 400, "{text}");
            assert!(!text.contains(char::is_control), "{text:?}");
            error
        }
    }
}

#[track_caller]
fn message(sections: &str) -> String {
    refused(format!("{NET}{sections}").as_bytes()).to_string()
}

#[test]
fn sizes_that_overflow() {
    for (sections, expected) in [
        (
            "[convolutional]\nfilters=1000000000\nsize=3\n",
            "[convolutional]",
        ),
        (
            "[convolutional]\nfilters=99999999999999999999\n",
            "`99999999999999999999` is no number",
        ),
        ("[convolutional]\nfilters=-1\n", "`filters` is -1"),
        ("[convolutional]\nfilters=0\n", "`filters` is 0"),
        ("[convolutional]\nfilters=4\nstride=0\n", "`stride` is 0"),
        (
            "[convolutional]\nfilters=4\nsize=2147483648\npad=1\n",
            "[convolutional]",
        ),
        (
            "[convolutional]\nfilters=4\nsize=3\npadding=2147483648\n",
            "[convolutional]",
        ),
        (
            "[convolutional]\nfilters=4\nsize=3\ndilation=2147483648\npad=1\n",
            "[convolutional]",
        ),
        (
            "[convolutional]\nfilters=4\ngroups=2147483648\n",
            "equal parts",
        ),
        (
            "[convolutional]\nfilters=4\nsize=40\n",
            "does not fit into 32x32",
        ),
        ("[connected]\noutput=2147483648\n", "[connected]"),
        ("[local]\nfilters=2147483648\nsize=1\n", "[local]"),
        ("[maxpool]\nsize=2147483648\nstride=1\n", "[maxpool]"),
        ("[maxpool]\nsize=0\n", "`size` is 0"),
        (
            "[maxpool]\nsize=2\nstride=2\npadding=2147483648\n",
            "[maxpool]",
        ),
        ("[upsample]\nstride=2147483648\n", "larger than any tensor"),
        (
            "[upsample]\nstride=40000\n[upsample]\nstride=40000\n[upsample]\nstride=40000\n",
            "larger than any tensor",
        ),
        ("[reorg]\nstride=2147483648\n", "[reorg]"),
        (
            "[crop]\ncrop_width=33\ncrop_height=32\n",
            "cannot be cut out",
        ),
        ("[dropout]\nprobability=nan\n", "`nan` is no number"),
        ("[dropout]\nprobability=1e999\n", "`1e999` is no number"),
        ("[yolo]\nclasses=2147483648\nnum=2147483648\n", "[yolo]"),
        ("[yolo]\nanchors=1,2\nclasses=2147483648\nnum=1\n", "[yolo]"),
        (
            "[yolo]\nanchors=1,2\nclasses=1\nnum=1\nmask=1\n",
            "`mask` is 1",
        ),
        ("[yolo]\nanchors=-1,2\nclasses=1\nnum=1\n", "pairs of sides"),
        (
            "[detection]\nside=2147483648\nnum=2147483648\nsqrt=1\n",
            "[detection]",
        ),
    ] {
        let said = message(sections);
        assert!(said.contains(expected), "{sections}: {said}");
    }
    for extent in ["0", "-3", "1e9", "2147483648", "99999999999999999999", ""] {
        let cfg = NET.replace("32", extent);
        let said = refused(format!("{cfg}[convolutional]\nfilters=4\n").as_bytes());
        assert_eq!(said.section.as_deref(), Some("net"), "{said}");
    }
}

#[test]
fn layers_that_are_not_there() {
    for index in [
        "0",
        "-1",
        "1",
        "5",
        "-2",
        "9223372036854775807",
        "-9223372036854775808",
    ] {
        // The first layer has none before it, so no route can be part of a circle.
        let said = message(&format!("[route]\nlayers={index}\n"));
        assert!(said.contains("there is no layer"), "{said}");
        let said = message(&format!(
            "[convolutional]\nfilters=3\n[shortcut]\nfrom={}\n",
            if index == "-1" || index == "0" {
                "1"
            } else {
                index
            }
        ));
        assert!(said.contains("there is no layer"), "{said}");
    }
    let said = refused(format!("{NET}[convolutional]\n[route]\nlayers=-1,7\n").as_bytes());
    assert_eq!((said.line, said.key.as_deref()), (7, Some("layers")));
    assert_eq!(
        said.mistake,
        Mistake::NoSuchLayer {
            index: "7".to_owned(),
            layers: 1
        }
    );
    assert!(message("[route]\n").contains("`layers` is missing"));
    assert!(message("[convolutional]\n[shortcut]\n").contains("`from` is missing"));
    assert!(message("[route]\nlayers=one\n").contains("`one` is no number"));
}

#[test]
fn files_that_are_something_else() {
    for (cfg, expected) in [
        (&b""[..], "the first section of a configuration is [net]"),
        (
            b"\n\n# nothing\n",
            "the first section of a configuration is [net]",
        ),
        (
            b"[net]\nwidth=8\nheight=8\nchannels=3\n",
            "no layers behind [net]",
        ),
        (
            b"[convolutional]\nfilters=3\n",
            "the first section of a configuration is [net]",
        ),
        (b"width=3\n", "line 1: a setting before the first section"),
        (b"[net\n", "line 1: this is neither"),
        (b"[net]\nwidth\n", "line 2: this is neither"),
        (
            b"[net]\nwidth=8\n\xff\xfe\n",
            "line 3: this is not text in UTF-8",
        ),
        (b"cnn 1\nmodel M { }\n", "line 1: this is neither"),
        (b"\x00\x01\x02", "line 1: this is neither"),
        (
            b"[net]\nheight=8\nchannels=3\n[conv]\n",
            "`width` is missing",
        ),
    ] {
        let said = refused(cfg).to_string();
        assert!(said.contains(expected), "{said}");
    }
    let large = vec![b'#'; 2 << 20];
    assert!(refused(&large).to_string().contains("2097152 bytes"));
    // As many sections as a file can hold.
    let mut many = NET.to_owned();
    while many.len() < 1_000_000 {
        many.push_str("[cost]\n");
    }
    assert!(
        refused(many.as_bytes())
            .to_string()
            .contains("more than 20000 layers")
    );
    // A name without end is cut short.
    let long = format!("{NET}[{}]\n", "x".repeat(500_000));
    refused(long.as_bytes());
}

#[test]
fn large_networks_take_little_time() {
    let residual = "[convolutional]\nfilters=3\nsize=3\npad=1\n[shortcut]\nfrom=-2\n";
    for cfg in [
        format!("{NET}{}", residual.repeat(6_000)),
        format!(
            "{NET}{}",
            "[convolutional]\nfilters=3\n[route]\nlayers=0\n".repeat(9_000)
        ),
        format!(
            "{NET}[convolutional]\nfilters=3\n{}",
            "[shortcut]\nfrom=0\n".repeat(19_000)
        ),
        format!(
            "{NET}[convolutional]\nfilters=3\n{}",
            "[shortcut]\nfrom=-2\n".repeat(2)
        ),
    ] {
        let start = Instant::now();
        let _ = import(cfg.as_bytes(), &options());
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }
}

/// Deterministic numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % most as u64) as usize
    }
}

#[test]
fn no_mutant_panics_and_what_is_imported_compiles() {
    let seed = "[net]
width=32
height=32
channels=3
[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=leaky
[maxpool]
size=2
stride=1
[convolutional]
filters=8
size=1
groups=2
activation=mish
[dropout]
probability=.2
[shortcut]
from=-3
activation=relu
[route]
layers=-1
groups=2
group_id=1
[upsample]
stride=2
[reorg]
stride=2
[route]
layers=-1,1
[avgpool]
[convolutional]
filters=24
activation=logistic
[scale_channels]
from=-3
[convolutional]
filters=18
activation=linear
[yolo]
mask=0,1,2
anchors=1,2,3,4,5,6
classes=1
num=3
scale_x_y=1.1
";
    import(seed.as_bytes(), &options()).expect("the seed is sound");
    let digits = b"0123456789-.,=[]\n#ex";
    let mut random = Random(1);
    let mut imported = 0;
    for _ in 0..20_000 {
        let mut cfg = seed.as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            let at = random.below(cfg.len());
            match random.below(5) {
                0 => cfg[at] = digits[random.below(digits.len())],
                1 => cfg[at] = random.below(256) as u8,
                2 => {
                    cfg.remove(at);
                }
                3 => cfg.insert(at, digits[random.below(digits.len())]),
                _ => {
                    let end = (at + random.below(60)).min(cfg.len());
                    let part = cfg[at..end].to_vec();
                    let to = random.below(cfg.len());
                    cfg.splice(to..to, part);
                }
            }
        }
        match import(&cfg, &options()) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(spec) => {
                imported += 1;
                if let Err(error) = cnnc::compile_str("net.cnn", &spec) {
                    panic!("{}\n{spec}\n{error}", String::from_utf8_lossy(&cfg));
                }
            }
        }
    }
    assert!(imported > 100, "only {imported} mutants were imported");
}
