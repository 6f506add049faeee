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
            // Nobody who imports has seen the spec.
            assert!(!text.contains("cnn") && !text.contains("E0"), "{text}");
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
            "`filters` is 99999999999999999999",
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
            "`padding` is 2147483648",
        ),
        (
            "[convolutional]\nfilters=4\nsize=3\npadding=70000\n",
            "[convolutional]",
        ),
        (
            "[convolutional]\nfilters=4\nsize=3\nstride=2147483648\n",
            "line 8: [convolutional]: `stride` is 2147483648, which is not between 1 and 16777216",
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
        ("[upsample]\nstride=2147483648\n", "`stride` is 2147483648"),
        (
            "[upsample]\nstride=40000\n[upsample]\nstride=40000\n[upsample]\nstride=40000\n",
            "larger than any tensor",
        ),
        ("[reorg]\nstride=2147483648\n", "[reorg]"),
        (
            "[crop]\ncrop_width=33\ncrop_height=32\n",
            "cannot be cut out",
        ),
        ("[upsample]\nscale=nan\n", "`nan` is no number"),
        ("[upsample]\nscale=1e999\n", "`1e999` is no number"),
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
    for extent in ["0", "-3", "x", "2147483648", "99999999999999999999", ""] {
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
        (b"[net]\n[conv]\nwidth\n", "`channels` is missing"),
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

/// Bytes that are no text in any encoding, on lines that mean nothing and on some that do.
#[test]
fn comments_are_bytes() {
    let cfg = b"[net]\nwidth=16\nheight=16\nchannels=3\n# \xc4\xe3\xba\xc3\n;\xff\xfe\n[convolutional]\nfilters=8\nsize=3\n\
        pad=1 #\xba\xc3\nbatch_normalize=1\n\xc4\xe3=1\nactivation=leaky\n";
    let spec = import(cfg, &options()).unwrap();
    assert!(spec.contains("conv0: conv 3x3 8 bn leaky"), "{spec}");
    assert!(spec.contains("in [convolutional] (line 12)"), "{spec}");
}

/// The longest files, of every kind that makes much of little, on the stack of a thread.
#[test]
fn a_megabyte_takes_little_time_and_stack() {
    const MOST: usize = (1 << 20) - 200;
    let fill = |line: &str| line.repeat(MOST / line.len());
    let lists = |item: &str| fill(item);
    let conv = "[convolutional]\nfilters=3\n";
    let files = [
        fill("x\n"),
        fill("k=1\n"),
        fill("[\n"),
        format!("{NET}{}", fill("abc=1\n")),
        format!("{NET}{}", fill("nonsense\n")),
        format!("{NET}{conv}{}", fill("filtres=1\n")),
        format!("{NET}{conv}{}", fill("filters=1\n")),
        format!("{NET}{conv}[route]\nlayers={}\n", lists("0,")),
        format!("{NET}{conv}[shortcut]\nfrom={}\n", lists("0,")),
        format!("{NET}{conv}[yolo]\nnum=4096\nmask={}\n", lists("0,")),
        format!("{NET}{conv}[yolo]\nanchors={}\n", lists("1,")),
        format!("{NET}{conv}activation={}\n", lists("a")),
        format!("{NET}{}", "x".repeat(MOST)),
        format!("{NET}[{}]\n", "x".repeat(MOST)),
        format!("{NET}{}", fill("[conv]\n")),
        format!("{NET}{}", fill("[batchnorm]\n")),
        format!(
            "{NET}[connected]\n{}",
            fill("[softmax]\ngroups=1\ntemperature=2\n")
        ),
        format!("{NET}{}", fill("[shortcut]\nfrom=-1\n")),
    ];
    let run = move || {
        for cfg in files {
            let start = Instant::now();
            let _ = import(cfg.as_bytes(), &options());
            let taken = start.elapsed();
            assert!(taken < Duration::from_secs(5), "{taken:?}: {}", &cfg[..120]);
        }
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(run).unwrap().join().unwrap();
}

/// Residuals within residuals, as deep as a file can have them, and others that nothing ends.
#[test]
fn depth_is_bounded() {
    let conv = "[convolutional]\nfilters=3\nactivation=linear\n";
    // Each sum goes back to the first layer: to the last residual and one convolution more.
    let nested = move |count: usize| {
        let mut cfg = format!("{NET}{conv}");
        for _ in 0..count {
            cfg += conv;
            cfg += "[shortcut]\nfrom=0\n";
        }
        cfg
    };
    let run = move || {
        let spec = import(nested(6).as_bytes(), &options()).unwrap();
        assert!(spec.contains("residual {"), "{spec}");
        let start = Instant::now();
        let _ = import(nested(6_000).as_bytes(), &options());
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    };
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(run).unwrap().join().unwrap();
}
