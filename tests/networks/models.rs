//! The networks as generated Rust, each behind one function from inputs to the raw output.

/// Runs a network with synthetic weights.
pub type Run = fn(inputs: &[&[f32]]) -> Vec<f32>;

macro_rules! models {
    ($($function:ident: $model:ident = $spec:literal ($($input:ident),*);)*) => {$(
        cnnc::cnn_model!(pub $model = $spec);

        pub fn $function(inputs: &[&[f32]]) -> Vec<f32> {
            let &[$($input),*] = inputs else {
                panic!("{} inputs", inputs.len());
            };
            let network = $model::synthetic().expect("synthetic weights fit");
            let mut session = network.session();
            session.run($($input),*).expect("inputs of the right shapes").raw().to_vec()
        }
    )*};
}

models! {
    lenet5: LeNet5 = "specs/lenet5.cnn" (image);
    alexnet: AlexNet = "specs/alexnet.cnn" (image);
    vgg16: VGG16 = "specs/vgg16.cnn" (image);
    resnet18: ResNet18 = "specs/resnet18.cnn" (image);
    resnet50: ResNet50 = "specs/resnet50.cnn" (image);
    squeezenet1_1: SqueezeNet = "specs/squeezenet1_1.cnn" (image);
    googlenet: GoogLeNet = "specs/googlenet.cnn" (image);
    mobilenet_v2: MobileNetV2 = "specs/mobilenet_v2.cnn" (image);
    m5: M5 = "specs/m5.cnn" (sound);
    c3d: C3D = "specs/c3d.cnn" (video);
    yolov2_tiny_voc: YOLOv2TinyVOC = "specs/yolov2_tiny_voc.cnn" (image);
    mobilenet_v3_small: MobileNetV3Small = "specs/mobilenet_v3_small.cnn" (image);
    convnext_block: ConvNeXtBlock = "specs/convnext_block.cnn" (x);
    fast_style: FastStyle = "specs/fast_style.cnn" (image);
    siamese_koch: Siamese = "specs/siamese_koch.cnn" (a, b);
}
