//! What each section computes, with darknet's own weights: imported networks against the little darknet of [`oracle`](crate::oracle).
//!
//! The networks are evaluated in f64, so what is compared is what the spec says, and which number of a `.weights` file goes where.

use crate::{options, oracle};
use cnnc::compiler::graph::Param;
use cnnc::compiler::reference::Reference;
use cnnc::darknet::import;
use cnnc::{Model, Options, Weights};
use ndarray::{ArrayD, IxDyn};

/// Deterministic numbers between 0 and 1.
fn noise(seed: u64, index: usize) -> f64 {
    let mixed = (index as u64 ^ seed << 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / (1u64 << 24) as f64
}

/// Numbers of a weights file: positive, since some are variances.
fn number(index: usize) -> f32 {
    (0.05 + noise(1, index) / 2.0) as f32
}

/// A `.weights` file of so many numbers.
fn file(count: usize) -> Vec<u8> {
    let header = [0i32, 2, 5, 0, 0];
    let header = header.iter().flat_map(|word| word.to_le_bytes());
    let numbers = (0..count).flat_map(|index| number(index).to_le_bytes());
    header.chain(numbers).collect()
}

/// A network, its input and darknet's answer.
struct Case {
    spec: String,
    model: Model,
    input: Vec<f32>,
    weights: Weights,
    expected: Vec<f64>,
}

#[track_caller]
fn case(net: &str, sections: &str) -> Case {
    let cfg = format!("[net]\n{net}\n{sections}");
    let spec = import(cfg.as_bytes(), &options()).unwrap_or_else(|error| panic!("{cfg}\n{error}"));
    let model = cnnc::compile_str("net.cnn", &spec).unwrap();
    let graph = model.graph();
    let elements = graph.values[graph.inputs[0].value].shape.elements();
    let input: Vec<f32> = (0..elements)
        .map(|index| (2.0 * noise(2, index) - 1.0) as f32)
        .collect();
    let wide: Vec<f64> = input.iter().map(|&x| f64::from(x)).collect();
    let run = oracle::run(cfg.as_bytes(), &wide, &number);
    let weights = match run.read {
        0 => Weights::synthetic(),
        read => Weights::from_bytes(file(read)).unwrap(),
    };
    Case {
        spec,
        model,
        input,
        weights,
        expected: run.output,
    }
}

/// The network's answer, in f64.
fn evaluated(case: &Case) -> Vec<f64> {
    let graph = case.model.graph();
    let sources = graph.sources();
    let bound = case
        .weights
        .bind(&sources)
        .unwrap_or_else(|error| panic!("{}\n{error}", case.spec));
    let params = |param: &Param| {
        let at = sources.iter().position(|source| source.name == param.name);
        let values: Vec<f64> = match (&param.literal, at) {
            (Some(literal), _) => literal.iter().map(|&x| f64::from(x)).collect(),
            (None, at) => bound
                .values(at.unwrap())
                .unwrap()
                .iter()
                .map(|&x| f64::from(x))
                .collect(),
        };
        ArrayD::from_shape_vec(IxDyn(&param.shape), values).unwrap()
    };
    let shape = graph.values[graph.inputs[0].value].shape.dims();
    let input = case.input.iter().map(|&x| f64::from(x)).collect();
    let input = ArrayD::from_shape_vec(IxDyn(shape), input).unwrap();
    let values = Reference::new(graph, &params).run(&[input]);
    let probabilities = graph
        .outputs
        .iter()
        .find(|output| output.name == "probabilities");
    let output = probabilities.unwrap_or(&graph.outputs[0]);
    values[&output.value].iter().copied().collect()
}

#[track_caller]
fn same(net: &str, sections: &str) {
    let case = case(net, sections);
    let found = evaluated(&case);
    let Case { spec, expected, .. } = &case;
    assert_eq!(found.len(), expected.len(), "{sections}\n{spec}");
    let most = expected.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        // Both add up in f64, a few hundred terms at most, in whatever order.
        let difference = (found - expected).abs();
        assert!(
            difference <= 1e-12 * most,
            "{sections}\n{spec}\n{index}: {found}, not {expected}"
        );
    }
}

const NET: &str = "width=9\nheight=8\nchannels=4";

#[test]
fn sections_with_weights() {
    for sections in [
        "[convolutional]\nfilters=5\nsize=3\nstride=2\npad=1\nbatch_normalize=1\nactivation=leaky",
        "[convolutional]\nfilters=6\nsize=3\nstride_x=2\nstride_y=1\npadding=2\ngroups=2\nactivation=mish",
        "[convolutional]\nfilters=4\nsize=3\npad=1\ndilation=2\ngroups=4\ncbn=1\nactivation=swish",
        "[convolutional]\nfilters=3\nsize=2\npad=1\ngroups=0\nstride_x=0\nactivation=linear",
        // A kernel that is less than a stride too large stands there once.
        "[convolutional]\nfilters=3\nsize=10\nstride=3\nactivation=linear",
        "[deconvolutional]\nfilters=3\nsize=4\nstride=2\npadding=1\nactivation=relu",
        "[deconvolutional]\nfilters=3\nsize=3\npad=1\nbatch_normalize=1\nactivation=linear",
        "[local]\nfilters=3\nsize=3\nstride=2\npad=1\nactivation=leaky",
        "[local]\nfilters=5\nsize=2\nstride=1\nactivation=linear",
        "[local]\nfilters=2\nsize=5\nstride=1\npad=2\nactivation=logistic",
        "[connected]\noutput=7\nactivation=tanh\n[connected]\noutput=3\nbatch_normalize=1\nactivation=linear",
        "[connected]\noutput=6\nactivation=relu\n[convolutional]\nfilters=4\nactivation=linear\n[batchnorm]",
        "[batchnorm]\n[convolutional]\nfilters=3\nactivation=linear\n[batchnorm]\n[local]\nfilters=2\nactivation=relie\n\
         [batchnorm]\n[connected]\noutput=3\nactivation=linear\n[batchnorm]\n[connected]\noutput=2\nactivation=linear",
        // A layer that nobody reads has numbers in the file all the same.
        "[convolutional]\nfilters=3\n[batchnorm]\n[route]\nlayers=0\n[convolutional]\nfilters=2\nsize=3\nactivation=linear",
    ] {
        same(NET, sections);
    }
}

#[test]
fn pools() {
    for sections in [
        "[maxpool]\nsize=2\nstride=2",
        "[maxpool]\nsize=2\nstride=1",
        "[maxpool]\nsize=3\nstride=2\npadding=1",
        "[maxpool]\nsize=3\nstride_x=2\nstride_y=1",
        // Windows that are larger than the map, as in SPP at small inputs.
        "[maxpool]\nsize=13\nstride=1",
        "[maxpool]\nsize=13\nstride=1\n[maxpool]\nsize=19\nstride=2\npadding=21",
        "[maxpool]\nsize=11\nstride=4\npadding=0",
        "[maxpool]\nmaxpool_depth=1\nout_channels=2",
        "[maxpool]\nmaxpool_depth=1\nout_channels=3",
        "[maxpool]\nsize=3\nstride=2\nantialiasing=1",
        "[maxpool]\nsize=2\nstride=2\nantialiasing=2",
        "[convolutional]\nfilters=3\nsize=3\nstride=2\npad=1\nantialiasing=1\nactivation=leaky\n[convolutional]\nfilters=2\nactivation=linear",
        "[local_avgpool]\nsize=3\nstride=1",
        "[local_avgpool]\nsize=4\nstride=2\npadding=2",
        "[avgpool]\n[connected]\noutput=3\nactivation=linear",
        "[avgpool]\n[convolutional]\nfilters=3\nactivation=linear",
        "[avgpool]\n[route]\nlayers=-1\n[avgpool]",
    ] {
        same(NET, sections);
    }
}

#[test]
fn sums_and_products_of_layers() {
    let conv = |filters: usize, stride: usize| {
        format!(
            "[convolutional]\nfilters={filters}\nsize=3\nstride={stride}\npad=1\nactivation=leaky\n"
        )
    };
    let (same_map, wide, narrow) = (conv(4, 1), conv(6, 1), conv(2, 1));
    for (width, height, sections) in [
        (9, 8, format!("{same_map}{same_map}[shortcut]\nfrom=-2\nactivation=relu")),
        (9, 8, format!("{same_map}{wide}[shortcut]\nfrom=-2")),
        (9, 8, format!("{wide}{same_map}[shortcut]\nfrom=-2\nalpha=0.5\nbeta=0.25\nactivation=linear")),
        (9, 8, format!("{wide}{narrow}{same_map}[shortcut]\nfrom=-2,0,-1")),
        // Redmon's: every n-th pixel of the larger map, or of the sum.
        (9, 9, format!("{same_map}{}[shortcut]\nfrom=-2", conv(6, 2))),
        (8, 8, format!("{}[upsample]\nstride=3\n[shortcut]\nfrom=-2\nbeta=3", conv(2, 2))),
        (9, 8, format!("{same_map}{same_map}[shortcut]\nfrom=-2\nweights_type=per_feature\nweights_normalization=relu\nactivation=leaky")),
        (9, 8, format!("{same_map}{wide}{same_map}[shortcut]\nfrom=-2,-3\nweights_type=per_channel\nweights_normalization=softmax\n\
                        [batchnorm]\n[convolutional]\nfilters=3\nactivation=linear")),
        (9, 8, format!("{same_map}{narrow}{same_map}[shortcut]\nfrom=-2\nweights_type=per_channel\n[convolutional]\nfilters=2")),
        (9, 8, "[connected]\noutput=5\nactivation=linear\n[connected]\noutput=7\nactivation=linear\n[shortcut]\nfrom=-2".into()),
        (9, 8, "[connected]\noutput=4\nactivation=linear\n[convolutional]\nfilters=4\nactivation=linear\n[shortcut]\nfrom=-2\n\
                [connected]\noutput=2\nactivation=linear".into()),
        (9, 8, format!("{wide}[avgpool]\n[convolutional]\nfilters=6\nactivation=logistic\n[scale_channels]\nfrom=-3\nactivation=relu")),
        (9, 8, format!("{wide}[connected]\noutput=6\nactivation=logistic\n[scale_channels]\nfrom=-2")),
        (9, 8, format!("{wide}{}[scale_channels]\nfrom=-2\nscale_wh=1", conv(1, 1))),
        (9, 8, format!("{wide}{wide}[sam]\nfrom=-2\nactivation=linear")),
    ] {
        same(&format!("width={width}\nheight={height}\nchannels=4"), &sections);
    }
}

#[test]
fn routes() {
    let conv = "[convolutional]\nfilters=4\nsize=3\npad=1\nactivation=leaky\n";
    for sections in [
        format!("{conv}{conv}[route]\nlayers=-1,0 # and -2"),
        format!("{conv}[route]\nlayers=-1\ngroups=2\ngroup_id=1"),
        format!("{conv}{conv}[route]\nlayers=-2,-1\ngroups=4\ngroup_id=2"),
        format!("{conv}[maxpool]\nsize=2\nstride=2\n[route]\nlayers=-1,-2\n[connected]\noutput=3\nactivation=linear"),
        "[connected]\noutput=4\nactivation=linear\n[connected]\noutput=6\nactivation=linear\n[route]\nlayers=0,1\ngroups=2\n\
         [connected]\noutput=3\nactivation=linear".to_owned(),
        format!("{conv}[avgpool]\n[connected]\noutput=3\nactivation=linear\n[route]\nlayers=-2\n[convolutional]\nfilters=3\n\
                 activation=linear\n[route]\nlayers=-1,2\n[convolutional]\nfilters=2\nactivation=linear"),
    ] {
        same(NET, &sections);
    }
}

#[test]
fn what_moves_and_scales() {
    for (net, sections) in [
        (NET, "[upsample]\nstride=2\nscale=0.5"),
        (
            NET,
            "[crop]\ncrop_width=9\ncrop_height=8\n[upsample]\nstride=-1",
        ),
        ("width=8\nheight=6\nchannels=4", "[upsample]\nstride=-2"),
        ("width=8\nheight=6\nchannels=4", "[reorg]\nstride=2"),
        (
            "width=8\nheight=6\nchannels=8",
            "[reorg]\nstride=2\nreverse=1",
        ),
        ("width=8\nheight=6\nchannels=3", "[reorg]\nflatten=1"),
        (
            "width=8\nheight=6\nchannels=8",
            "[reorg]\nflatten=1\nstride=2\nreverse=1",
        ),
        (
            "width=8\nheight=6\nchannels=3",
            "[reorg]\nstride=1\nextra=2\n[softmax]",
        ),
        ("width=9\nheight=6\nchannels=3", "[reorg3d]\nstride=3"),
        (
            "width=4\nheight=3\nchannels=16",
            "[reorg3d]\nstride=2\nreverse=1",
        ),
        (NET, "[crop]\ncrop_width=4\ncrop_height=5"),
        (
            NET,
            "[crop]\ncrop_width=3\ncrop_height=8\nnoadjust=1\nflip=1\nangle=9",
        ),
        (
            NET,
            "[dropout]\nprobability=.2\n[dropout]\nprobability=7\n[cost]\n[empty]\n[logistic]",
        ),
        (NET, "[softmax]\ntemperature=3"),
        (NET, "[softmax]\ngroups=8\n[cost]\ntype=sse"),
        (
            NET,
            "[softmax]\ngroups=3\ntemperature=0.5\n[connected]\noutput=2\nactivation=linear",
        ),
        (
            NET,
            "[connected]\noutput=6\nactivation=linear\n[softmax]\ngroups=1\ntemperature=2",
        ),
        (NET, "[l2norm]"),
        ("inputs=12", "[connected]\noutput=5\nactivation=linear"),
    ] {
        same(net, sections);
    }
}

#[test]
fn activations() {
    for activation in [
        "linear",
        "logistic",
        "loggy",
        "leaky",
        "revleaky",
        "relie",
        "ramp",
        "relu",
        "relu6",
        "tanh",
        "hardtan",
        "elu",
        "selu",
        "gelu",
        "swish",
        "mish",
        "hard_mish",
        "lhtan",
        "plse",
        "unheard_of",
    ] {
        // On both sides of 0, and of ±4.
        same(
            NET,
            &format!(
                "[crop]\ncrop_width=9\ncrop_height=8\n[upsample]\nstride=1\nscale=8\n[activation]\nactivation={activation}"
            ),
        );
        same(
            NET,
            &format!("[convolutional]\nfilters=3\nactivation={activation}"),
        );
    }
}

/// The compiled `[local]` against darknet's definition.
#[test]
fn local_runs() {
    let case = case(
        NET,
        "[local]\nfilters=5\nsize=3\nstride=2\npad=1\nactivation=leaky",
    );
    let network = case.model.jit(&case.weights, &Options::new()).unwrap();
    let mut session = network.session().unwrap();
    let outputs = session.run(&[&case.input]).unwrap();
    let found = outputs.get("raw").unwrap();
    assert_eq!(found.shape, [5, 4, 5]);
    // 4·3·3 products of at most 0.55, and a bias: each sum is rounded as often, by at most half a unit in the last place.
    let terms = 37.0;
    let allowed = terms * (terms * 0.55) * 2f64.powi(-24);
    for (found, expected) in found.data.iter().zip(&case.expected) {
        let difference = (f64::from(*found) - expected).abs();
        assert!(difference <= allowed, "{found}, not {expected}");
    }
}
