//! Networks of which nobody has published an answer for synthetic weights: machine code against the evaluation in f64, which shares
//! nothing with it but the rules of shapes. Their specs state the published parameters and multiplications, and the tests of the compiler
//! hold their tensors against the published names.

use crate::goldens::{depth, largest};
use crate::shared::model;
use cnnc::rt::synthetic::Synthetic;
use cnnc::{Backend, Options, Weights};

macro_rules! networks {
    ($($network:ident)*) => {$(
        #[test]
        fn $network() {
            compiled_and_evaluated(stringify!($network));
        }
    )*};
}

// Those of more than four billion multiplications are left to their relatives: VGG-19 is VGG-16 with more of the same, R3D-18 has the blocks
// of ResNet-18 and the convolutions of C3D.
networks! {
    alexnet_2012 googlenet_paper squeezenet1_0 mobilenet_v1 densenet121 inception_resnet_v1 resnet50_v1
    resnet32_cifar10 resnet44_cifar10 resnet56_cifar10 crepe_tiny shufflenet_v2_x1_0 efficientnet_b0
    yolov1_tiny yolov2_tiny_coco yolov3_tiny localize18 landmarks68 localize_shapes landmarks_faces
    keypoints_faces
}

fn compiled_and_evaluated(name: &str) {
    let model = model(name);
    let input = Synthetic::input("input").values(
        model.graph().values[model.graph().inputs[0].value]
            .shape
            .elements(),
    );
    let raw = |backend| {
        let options = Options::new().backend(backend);
        let network = model
            .jit(&Weights::synthetic(), &options)
            .expect("synthetic weights fit");
        let mut session = network.session().expect("enough memory");
        session
            .run(&[&input])
            .expect("an input of that size")
            .raw()
            .to_vec()
    };
    let (found, expected) = (raw(Backend::Jit), raw(Backend::Reference));
    assert_eq!(found.len(), expected.len());
    let mean = expected.iter().map(|&x| f64::from(x)).sum::<f64>() / expected.len() as f64;
    let variance = expected
        .iter()
        .map(|&x| (f64::from(x) - mean).powi(2))
        .sum::<f64>()
        / expected.len() as f64;
    assert!(variance > 0.0, "outputs that are all alike tell nothing");
    let worst = largest(
        found
            .iter()
            .zip(&expected)
            .map(|(&a, &b)| f64::from(a) - f64::from(b)),
    );
    let error = worst / (1e-5 * (depth(model.graph()) as f64).sqrt() * variance.sqrt());
    println!("{error:.4} of what is allowed");
    assert!(error <= 1.0, "{name}: {error:.3} times as wrong as allowed");
}
