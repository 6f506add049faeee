//! What layers, parameters, values, settings and heads are called in other frameworks, and what they are called here.
//!
//! `layers` has one row for each layer of PyTorch, Keras, Caffe, ONNX and darknet, `words` everything else. A name that is found
//! is data, and what is said of it is the business of those who find it.

mod layers;
mod words;

pub use layers::{FOREIGN, Foreign, Framework, Ours};
use words::{HEADS, WORDS};
pub(crate) use words::{is_activation, is_choice, is_mode, parameter};

use crate::slip::{LONGEST, SHORTEST, one_change};
use std::collections::HashMap;
use std::sync::LazyLock;

/// A name as it is compared: `MaxPool2d` and `max_pool2d` are one.
pub(crate) fn normal(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    let letters = last.chars().filter(|&c| c != '_');
    letters.flat_map(char::to_lowercase).collect()
}

/// Rows of layers of that name, whatever modules it is in (`nn.Conv2d`) and however it is written (`conv2d`, `CONV_2D`).
pub fn layers(name: &str) -> &'static [&'static Foreign] {
    static ROWS: LazyLock<HashMap<String, Vec<&Foreign>>> = LazyLock::new(|| {
        let mut rows: HashMap<String, Vec<&Foreign>> = HashMap::new();
        for row in FOREIGN {
            for name in row.names() {
                let named = rows.entry(normal(name)).or_default();
                if !named.iter().any(|other| std::ptr::eq(*other, row)) {
                    named.push(row);
                }
            }
        }
        rows
    });
    if name.len() > LONGEST {
        return &[];
    }
    ROWS.get(&normal(name)).map_or(&[], Vec::as_slice)
}

/// The row of a layer of that name: of that framework if it has one, else of one that writes the name so.
pub fn layer(name: &str, framework: Option<Framework>) -> Option<&'static Foreign> {
    let rows = layers(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    let theirs = rows.iter().find(|row| Some(row.framework) == framework);
    let same = || rows.iter().find(|row| row.names().any(|name| name == last));
    theirs.or_else(same).or(rows.first()).copied()
}

/// A layer here of that name, if another framework has it too.
pub(crate) fn own_layer(name: &str) -> Option<&'static str> {
    let mut ours = FOREIGN.iter().filter_map(Foreign::keyword);
    ours.find(|ours| *ours == name)
}

/// The row of a head of that name.
pub fn head(name: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    let name = normal(&name[..name.floor_char_boundary(LONGEST)]);
    HEADS
        .iter()
        .find(|(theirs, ..)| theirs.split(' ').any(|theirs| normal(theirs) == name))
}

/// What a word of another framework may be here, the likeliest first: names of parameters, values and layers.
pub fn ours(word: &str) -> impl Iterator<Item = &'static str> {
    static OURS: LazyLock<HashMap<String, Vec<&str>>> = LazyLock::new(|| {
        let mut names: HashMap<String, Vec<&str>> = HashMap::new();
        for &(theirs, ours) in WORDS {
            for name in theirs.split(' ') {
                names.entry(normal(name)).or_default().push(ours);
            }
        }
        names
    });
    let words = match word.len() > LONGEST {
        true => None,
        false => OURS.get(&normal(word)),
    };
    let layers = layers(word).iter().filter_map(|row| row.keyword());
    words.into_iter().flatten().copied().chain(layers)
}

/// What was meant, if the word is one slip of the finger away from a name of another framework.
pub(crate) fn slips(lower: &str) -> impl Iterator<Item = &'static str> {
    static NAMES: LazyLock<Vec<(String, &str)>> = LazyLock::new(|| {
        let words = WORDS
            .iter()
            .flat_map(|&(theirs, ours)| theirs.split(' ').map(move |name| (name, ours)));
        let layers = FOREIGN.iter().flat_map(|row| {
            let ours = row.keyword();
            row.names().filter_map(move |name| Some((name, ours?)))
        });
        let names = words.chain(layers);
        let names = names.map(|(name, ours)| (name.to_lowercase(), ours));
        names.filter(|(name, _)| name.len() >= SHORTEST).collect()
    });
    let near = move |name: &str| name.len().abs_diff(lower.len()) <= 1 && one_change(name, lower);
    let near = NAMES.iter().filter(move |(name, _)| near(name));
    near.map(|&(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::HEADS as HEAD_DECLS;
    use crate::layer::{Kind, LAYERS};
    use crate::resolve::{EXPECTED, INPUT_SETTINGS};
    use std::collections::HashSet;

    #[test]
    fn names_are_found_however_they_are_written() {
        for (name, ours) in [
            ("Conv2d", "conv"),
            ("nn.Conv2d", "conv"),
            ("tf.keras.layers.Conv2D", "conv"),
            ("conv_2d", "conv"),
            ("max_pool2d", "maxpool"),
            ("F.relu", "relu"),
            ("InnerProduct", "dense"),
            ("GlobalAveragePooling2D", "globalavgpool"),
        ] {
            let row = layer(name, None).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(row.keyword(), Some(ours), "{name}");
        }
        assert!(layer("xyzzy", None).is_none());
        assert!(layer(&"x".repeat(1 << 20), None).is_none());
    }

    /// Every class of `torch.nn` that makes a module, in version 2.
    const TORCH: &str = "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d
        AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss BatchNorm1d BatchNorm2d BatchNorm3d Bilinear Buffer CELU CTCLoss ChannelShuffle CircularPad1d
        CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d Container Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss
        CosineSimilarity CrossEntropyLoss CrossMapLRN2d DataParallel Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag FeatureAlphaDropout Flatten Fold
        FractionalMaxPool2d FractionalMaxPool3d GELU GLU GRU GRUCell GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss Identity
        InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d LPPool3d LSTM LSTMCell LayerNorm LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d
        LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear LeakyReLU
        Linear LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish ModuleDict ModuleList
        MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss MultiheadAttention NLLLoss NLLLoss2d PReLU PairwiseDistance Parameter ParameterDict ParameterList PixelShuffle
        PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNBase RNNCell RNNCellBase RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d
        ReplicationPad3d SELU Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign SyncBatchNorm Tanh Tanhshrink Threshold
        Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold Upsample
        UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d ZeroPad2d ZeroPad3d";

    #[test]
    fn every_module_of_pytorch_has_its_row() {
        for name in TORCH.split_whitespace() {
            let row = layer(name, Some(Framework::PyTorch));
            let theirs = row.is_some_and(|row| row.framework == Framework::PyTorch);
            assert!(theirs, "{name}");
        }
    }

    #[test]
    fn frameworks_may_differ_in_what_they_mean() {
        let spatial = |framework| match layer("Flatten", Some(framework)).map(|row| row.ours) {
            Some(Ours::Layer(text)) => text.contains("spatial"),
            other => panic!("{other:?}"),
        };
        assert!(spatial(Framework::Keras));
        assert!(!spatial(Framework::PyTorch));
    }

    #[test]
    fn the_likeliest_word_comes_first() {
        assert_eq!(ours("linear").collect::<Vec<_>>(), ["bilinear", "dense"]);
        assert_eq!(ours("kernel_size").next(), Some("kernel"));
        assert_eq!(ours("xyzzy").next(), None);
    }

    /// What may be written here: layers, their parameters, functions, and what stands in the braces of inputs, heads and expectations.
    fn known() -> HashSet<&'static str> {
        let mut known: HashSet<&str> = EXPECTED.into_iter().collect();
        known.extend(["on", "off", "valid", "half", "same", "min", "max"]);
        let layers = LAYERS.iter().map(|decl| (decl.keyword, decl.params));
        let heads = HEAD_DECLS.iter().map(|decl| (decl.keyword, decl.keys));
        for (keyword, params) in layers.chain(heads).chain([("input", INPUT_SETTINGS)]) {
            known.insert(keyword);
            for param in params {
                known.insert(param.name);
                if let Kind::Word(words) = param.kind {
                    known.extend(words);
                }
            }
        }
        known
    }

    #[test]
    fn every_word_and_head_is_there() {
        let known = known();
        for (theirs, ours) in WORDS {
            assert!(known.contains(ours), "{theirs}: {ours}");
        }
        for word in words::CHOICES {
            assert!(known.contains(word), "{word}");
        }
        for (theirs, ours, what) in HEADS {
            let head = HEAD_DECLS.iter().any(|head| head.keyword == *ours);
            assert!(head != ours.is_empty(), "{theirs}: {ours}");
            assert!(head || !what.is_empty(), "{theirs}: what is missing");
        }
    }
}
