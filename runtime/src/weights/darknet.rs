//! Darknet's `.weights`: numbers without names or shapes, layer after layer in the order of the `.cfg`.
//!
//! A file is `major minor revision` (i32 each), the number of pictures seen in training (i64 from
//! version 0.2 on, i32 before), and f32s until its end. For each convolution:
//!
//! ```text
//! bias (beta)  [scale (gamma)  mean  variance]  weights, O I H W        [..] with batch norm only
//! ```
//!
//! for each connected layer `bias  weights, O I  [scale  mean  variance]`, and for a batch norm on its own
//! `bias  scale  mean  variance` (darknet's parser.c, AlexeyAB's; Redmon's has no bias there). The factors of a weighted
//! shortcut stand there as they are.
//! What the numbers belong to, only the network knows: its tensors, in order, are the key.

use super::error::DarknetError;
use crate::memory::element_count;
use crate::plan::Source;

/// Bytes of one number.
const FLOAT: usize = 4;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Offset of the first number.
    start: usize,
}

/// The header, if a file that begins so can be darknet's: small version numbers. There is nothing else to know it by.
pub(super) fn header(start: &[u8]) -> Option<Header> {
    let (words, _) = start.as_chunks::<4>();
    let mut words = words.iter().map(|word| i32::from_le_bytes(*word));
    let (major, minor, revision) = (words.next()?, words.next()?, words.next()?);
    let known =
        (0..10).contains(&major) && (0..10).contains(&minor) && (0..100).contains(&revision);
    if !known || (major, minor) == (0, 0) {
        return None;
    }
    let start = if major * 10 + minor >= 2 { 20 } else { 16 };
    Some(Header { start })
}

/// One layer's tensors, as indices into the network's.
#[derive(Debug, Default)]
struct Layer {
    /// That of a convolution or connected layer; a batch norm on its own has none.
    weight: Option<usize>,
    bias: Option<usize>,
    gamma: Option<usize>,
    mean: Option<usize>,
    variance: Option<usize>,
    /// The factors of a sum: all that its layer has.
    shares: Option<usize>,
}

/// Offset of the first byte of every tensor of a network in a file of so many bytes, in the order of `sources`, which is the order of its layers.
///
/// What a tensor is to its layer, the last part of its name says: a `weight` of two or more dimensions begins
/// a layer, and the `bias`, or `weight`, `bias`, `running_mean` and `running_var` of one
/// dimension that follow belong to it. Where a layer has its bias, such a `weight` begins a batch norm on its own.
pub(super) fn assign(
    len: usize,
    header: Header,
    sources: &[Source],
) -> Result<Vec<usize>, DarknetError> {
    let layers = layers(sources)?;
    let mut starts = vec![0; sources.len()];
    let mut at = header.start;
    // The layer and the tensor in which the file ends.
    let mut short = None;
    for (filled, layer) in layers.iter().enumerate() {
        for index in stored(layer, sources)? {
            let bytes =
                element_count(&sources[index].shape).and_then(|count| count.checked_mul(FLOAT));
            starts[index] = at;
            at = at.saturating_add(bytes.unwrap_or(usize::MAX));
            if at > len && short.is_none() {
                short = Some((filled, &sources[index]));
            }
        }
    }
    let (layers, found, needed) = (layers.len(), len as u64, at as u64);
    match short {
        Some((filled, Source { name, shape })) => Err(DarknetError::TooShort {
            found,
            needed,
            filled,
            layers,
            name: name.clone().into_owned(),
            shape: shape.to_vec(),
        }),
        None if at < len => Err(DarknetError::TooLong {
            layers,
            found,
            needed,
        }),
        None => Ok(starts),
    }
}

/// A layer's tensors in the order of the file.
fn stored(layer: &Layer, sources: &[Source]) -> Result<Vec<usize>, DarknetError> {
    if let Some(shares) = layer.shares {
        return Ok(vec![shares]);
    }
    let first = layer
        .weight
        .or(layer.gamma)
        .expect("a layer begins with a weight");
    let refuse = |reason| {
        let name = sources[first].name.clone().into_owned();
        Err(DarknetError::Layer { name, reason })
    };
    let Some(bias) = layer.bias else {
        return refuse("its layers have a bias or a batch norm");
    };
    let norm = match (layer.gamma, layer.mean, layer.variance) {
        (None, None, None) => Vec::new(),
        (Some(gamma), Some(mean), Some(variance)) => vec![gamma, mean, variance],
        _ => return refuse("its batch norms have scale, bias, mean and variance"),
    };
    let mut stored = vec![bias];
    let connected = sources[first].shape.len() == 2;
    match connected {
        true => stored.extend(layer.weight.into_iter().chain(norm)),
        false => stored.extend(norm.into_iter().chain(layer.weight)),
    }
    Ok(stored)
}

fn layers(sources: &[Source]) -> Result<Vec<Layer>, DarknetError> {
    let mut layers: Vec<Layer> = Vec::new();
    for (index, Source { name, shape }) in sources.iter().enumerate() {
        let refuse = |reason| {
            let name = name.clone().into_owned();
            Err(DarknetError::Layer { name, reason })
        };
        let role = name.rsplit('.').next().unwrap_or_default();
        let whole = |layer: &Layer| layer.bias.is_some() || layer.shares.is_some();
        let whole = layers.last().is_none_or(whole);
        if role == "shares" {
            layers.push(Layer {
                shares: Some(index),
                ..Layer::default()
            });
            continue;
        }
        if role == "weight" && (shape.len() >= 2 || whole) {
            let mut layer = Layer::default();
            match shape.len() {
                2.. => layer.weight = Some(index),
                _ => layer.gamma = Some(index),
            }
            layers.push(layer);
            continue;
        }
        let Some(layer) = layers.last_mut() else {
            return refuse(
                "every layer begins with the weights of a convolution or connected layer",
            );
        };
        let slot = match role {
            "weight" => &mut layer.gamma,
            "bias" => &mut layer.bias,
            "running_mean" => &mut layer.mean,
            "running_var" => &mut layer.variance,
            _ => return refuse("it stores weights, biases and batch norms only"),
        };
        if slot.replace(index).is_some() {
            return refuse("its layers have a bias or one batch norm, not both");
        }
    }
    Ok(layers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name shape` on each line.
    fn sources(lines: &str) -> Vec<Source> {
        let source = |line: &str| {
            let (name, shape) = line.split_once(' ').unwrap();
            let shape: Vec<usize> = shape.split('x').map(|size| size.parse().unwrap()).collect();
            Source {
                name: name.to_owned().into(),
                shape: shape.into(),
            }
        };
        lines.lines().map(|line| source(line.trim())).collect()
    }

    const NETWORK: &str = "conv1.weight 2x3x1x1
        conv1_bn.weight 2
        conv1_bn.bias 2
        conv1_bn.running_mean 2
        conv1_bn.running_var 2
        conv2.weight 1x2x1x1
        conv2.bias 1
        fc.weight 2x1
        fc_bn.weight 2
        fc_bn.bias 2
        fc_bn.running_mean 2
        fc_bn.running_var 2";

    /// A file whose number `n` is `n`.
    fn file(version: [i32; 3], numbers: usize) -> Vec<u8> {
        let mut file: Vec<u8> = version.iter().flat_map(|word| word.to_le_bytes()).collect();
        file.extend(vec![
            0;
            if version[0] * 10 + version[1] >= 2 {
                8
            } else {
                4
            }
        ]);
        file.extend((0..numbers).flat_map(|n| (n as f32).to_le_bytes()));
        file
    }

    fn fill(file: &[u8], sources: &[Source]) -> Result<Vec<(String, Vec<f32>)>, DarknetError> {
        let starts = assign(file.len(), header(file).unwrap(), sources)?;
        let numbers = |(source, start): (&Source, usize)| {
            let count: usize = source.shape.iter().product();
            let (words, _) = file[start..start + 4 * count].as_chunks::<4>();
            let numbers = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
            (source.name.clone().into_owned(), numbers)
        };
        Ok(sources.iter().zip(starts).map(numbers).collect())
    }

    #[test]
    fn layers_are_filled_in_the_order_of_the_file() {
        for version in [[0, 1, 0], [0, 2, 0], [0, 2, 5], [1, 0, 0]] {
            let filled = fill(&file(version, 27), &sources(NETWORK)).unwrap();
            let expected: &[(&str, &[f32])] = &[
                ("conv1.weight", &[8., 9., 10., 11., 12., 13.]),
                ("conv1_bn.weight", &[2., 3.]),
                ("conv1_bn.bias", &[0., 1.]),
                ("conv1_bn.running_mean", &[4., 5.]),
                ("conv1_bn.running_var", &[6., 7.]),
                ("conv2.weight", &[15., 16.]),
                ("conv2.bias", &[14.]),
                ("fc.weight", &[19., 20.]),
                ("fc_bn.weight", &[21., 22.]),
                ("fc_bn.bias", &[17., 18.]),
                ("fc_bn.running_mean", &[23., 24.]),
                ("fc_bn.running_var", &[25., 26.]),
            ];
            for ((name, numbers), (expected_name, expected)) in filled.iter().zip(expected) {
                assert_eq!((name.as_str(), &numbers[..]), (*expected_name, *expected));
            }
        }
    }

    #[test]
    fn batch_norms_and_sums_on_their_own_are_layers() {
        let network = "bn0.weight 2
            bn0.bias 2
            bn0.running_mean 2
            bn0.running_var 2
            conv1.weight 1x2x1x1
            conv1.bias 1
            blend.shares 2x1
            bn2.weight 1
            bn2.bias 1
            bn2.running_mean 1
            bn2.running_var 1";
        let filled = fill(&file([0, 2, 0], 17), &sources(network)).unwrap();
        let expected: &[(&str, &[f32])] = &[
            ("bn0.weight", &[2., 3.]),
            ("bn0.bias", &[0., 1.]),
            ("bn0.running_mean", &[4., 5.]),
            ("bn0.running_var", &[6., 7.]),
            ("conv1.weight", &[9., 10.]),
            ("conv1.bias", &[8.]),
            ("blend.shares", &[11., 12.]),
            ("bn2.weight", &[14.]),
            ("bn2.bias", &[13.]),
            ("bn2.running_mean", &[15.]),
            ("bn2.running_var", &[16.]),
        ];
        for ((name, numbers), (expected_name, expected)) in filled.iter().zip(expected) {
            assert_eq!((name.as_str(), &numbers[..]), (*expected_name, *expected));
        }
    }

    #[test]
    fn too_few_and_too_many_numbers() {
        let sources = sources(NETWORK);
        let message = |numbers| {
            fill(&file([0, 2, 0], numbers), &sources)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message(16),
            "the file is truncated, or of another network: 84 bytes are there, the network needs 128; \
             they fill 1 of its 3 layers and end in `conv2.weight` (1x2x1x1)"
        );
        assert_eq!(
            message(30),
            "the file is of another network: 140 bytes are there, and all 3 layers of the network need 128"
        );
        // Bytes that are no whole number belong to no network either.
        let mut cut = file([0, 2, 0], 27);
        cut.pop();
        assert_eq!(
            fill(&cut, &sources).unwrap_err().to_string(),
            "the file is truncated, or of another network: 127 bytes are there, the network needs 128; \
             they fill 2 of its 3 layers and end in `fc_bn.running_var` (2)"
        );
        let longer = [&file([0, 2, 0], 27)[..], &[0]].concat();
        assert!(
            fill(&longer, &sources)
                .unwrap_err()
                .to_string()
                .contains("129 bytes are there")
        );
    }

    #[test]
    fn networks_that_darknet_cannot_have_stored() {
        let message = |network: &str| {
            fill(&file([0, 2, 0], 99), &sources(network))
                .unwrap_err()
                .to_string()
        };
        for (network, reason) in [
            (
                "a.weight 2x3x1x1",
                "`a.weight`: its layers have a bias or a batch norm",
            ),
            (
                "a.bias 2",
                "`a.bias`: every layer begins with the weights of a convolution or connected layer",
            ),
            (
                "a.weight 2x3x1x1\na.bias 2\na_bn.weight 2\na_bn.bias 2",
                "`a_bn.weight`: its batch norms have scale, bias, mean and variance",
            ),
            (
                "a.weight 2x3x1x1\na.bias 2\na.bias 2",
                "`a.bias`: its layers have a bias or one batch norm, not both",
            ),
            (
                "a.weight 2x3x1x1\na.bias 2\na_prelu.weight 2",
                "`a_prelu.weight`: its layers have a bias or a batch norm",
            ),
            (
                "a.weight 2x3x1x1\na_bn.bias 2\na_bn.running_mean 2\na_bn.running_var 2",
                "`a.weight`: its batch norms have scale, bias, mean and variance",
            ),
            (
                "a.weight 2x3\na.slope 2",
                "`a.slope`: it stores weights, biases and batch norms only",
            ),
        ] {
            assert_eq!(
                message(network),
                format!("darknet cannot have stored tensor {reason}")
            );
        }
        let huge = format!("a.weight {0}x{0}\na.bias 1", usize::MAX / 2);
        assert!(message(&huge).contains("0 of its 1 layers"));
    }

    #[test]
    fn headers_of_other_files_are_not_taken() {
        assert_eq!(header(&file([0, 1, 0], 1)), Some(Header { start: 16 }));
        assert_eq!(header(&file([0, 2, 5], 1)), Some(Header { start: 20 }));
        // Cut short, it still is one.
        assert_eq!(
            header(&file([0, 2, 5], 0)[..12]),
            Some(Header { start: 20 })
        );
        assert_eq!(header(&file([0, 2, 5], 0)[..11]), None);
        assert_eq!(header(&[0; 400]), None);
        assert_eq!(header(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"), None);
        assert_eq!(header(b""), None);
    }
}
