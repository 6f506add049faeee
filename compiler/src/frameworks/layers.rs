//! The table: what other frameworks call a layer, and how it is written here.

use std::fmt;

/// Where a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framework {
    /// `torch.nn`, `torch.nn.functional`, `torchvision`.
    PyTorch,
    /// Keras and TensorFlow.
    Keras,
    /// Layers of a `.prototxt`.
    Caffe,
    /// Operators.
    Onnx,
    /// Sections of a `.cfg`, and its activations.
    Darknet,
    /// What people say.
    Common,
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Framework::PyTorch => "PyTorch",
            Framework::Keras => "Keras",
            Framework::Caffe => "Caffe",
            Framework::Onnx => "ONNX",
            Framework::Darknet => "darknet",
            Framework::Common => "elsewhere",
        })
    }
}

/// What a name is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ours {
    /// This layer, with parameters whose defaults are others here: `bn eps 1e-3`.
    Layer(&'static str),
    /// Something that is no single layer: what to write.
    Write(&'static str),
    /// Nothing, for this reason: it is left out.
    Nothing(&'static str),
    /// Not there: what is missing, and what may do instead.
    Missing(&'static str),
}

/// A row of the table.
#[derive(Debug)]
pub struct Foreign {
    /// Whose name it is.
    pub framework: Framework,
    /// The names, with blanks between them.
    theirs: &'static str,
    /// What it is here.
    pub ours: Ours,
    /// Its positional arguments as parameters of the layer here, `-` for one that says nothing.
    args: &'static str,
    /// Calls, for documentation.
    pub(crate) examples: &'static [&'static str],
}

impl Foreign {
    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.theirs.split(' ')
    }
    /// The layer here, if it is one.
    pub fn keyword(&self) -> Option<&'static str> {
        match self.ours {
            Ours::Layer(text) => text.split(' ').next(),
            _ => None,
        }
    }
    /// What its positional arguments are here.
    pub(crate) fn args(&self) -> impl Iterator<Item = &'static str> {
        self.args.split_whitespace()
    }
}

const fn row(
    framework: Framework,
    theirs: &'static str,
    args: &'static str,
    ours: Ours,
    examples: &'static [&'static str],
) -> Foreign {
    Foreign {
        framework,
        theirs,
        ours,
        args,
        examples,
    }
}

use Framework::{Caffe, Common, Darknet, Keras, Onnx, PyTorch};
use Ours::{Layer, Missing, Nothing, Write};

const ACTIVATION: &str =
    "this activation; `relu`, `leaky`, `elu`, `selu`, `silu`, `mish`, `gelu` are there";
const NORM: &str = "this normalisation; `bn`, `instancenorm`, `groupnorm`, `layernorm`, `l2norm` and `lrn` are there";
const SEQUENCE: &str = "layers of sequences; networks are convolutional";

/// Every name, PyTorch's first, in the order of its documentation.
#[rustfmt::skip]
pub static FOREIGN: &[Foreign] = &[
    row(PyTorch, "Conv1d Conv2d Conv3d", "- out kernel stride pad dilation groups bias", Layer("conv"), &["nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)", "nn.Conv2d(64, 64, 3, padding=1, groups=64)", "nn.Conv2d(64, 64, 3, padding=1, padding_mode=\"reflect\")"]),
    row(PyTorch, "ConvTranspose1d ConvTranspose2d ConvTranspose3d", "- out kernel stride pad output_pad groups bias dilation", Layer("convtranspose"), &["nn.ConvTranspose2d(64, 32, 2, stride=2)"]),
    row(PyTorch, "LazyConv1d LazyConv2d LazyConv3d", "out kernel stride pad dilation groups bias", Layer("conv"), &["nn.LazyConv2d(64, 3)"]),
    row(PyTorch, "LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d", "out kernel stride pad output_pad groups bias dilation", Layer("convtranspose"), &["nn.LazyConvTranspose2d(32, 2, 2)"]),
    row(PyTorch, "Linear", "- out bias", Layer("dense"), &["nn.Linear(512, 10)"]),
    row(PyTorch, "LazyLinear", "out bias", Layer("dense"), &["nn.LazyLinear(10)"]),
    row(PyTorch, "MaxPool1d MaxPool2d MaxPool3d", "kernel stride pad dilation return_indices rounding", Layer("maxpool"), &["nn.MaxPool2d(3, stride=2, padding=1)"]),
    row(PyTorch, "AvgPool1d AvgPool2d AvgPool3d", "kernel stride pad rounding count_include_pad", Layer("avgpool count_include_pad on"), &["nn.AvgPool2d(3, stride=1, padding=1)"]),
    row(PyTorch, "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d", "size", Layer("adaptiveavgpool"), &["nn.AdaptiveAvgPool2d(1)", "nn.AdaptiveAvgPool2d((6, 6))"]),
    row(PyTorch, "AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d", "size", Layer("globalmaxpool"), &["nn.AdaptiveMaxPool2d(1)"]),
    row(PyTorch, "BatchNorm BatchNorm1d BatchNorm2d BatchNorm3d SyncBatchNorm FrozenBatchNorm2d", "- eps - affine", Layer("bn"), &["nn.BatchNorm2d(64)"]),
    row(PyTorch, "LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d", "eps - affine", Layer("bn"), &["nn.LazyBatchNorm2d()"]),
    row(PyTorch, "InstanceNorm InstanceNorm1d InstanceNorm2d InstanceNorm3d", "- eps - affine", Layer("instancenorm"), &["nn.InstanceNorm2d(64, affine=True)"]),
    row(PyTorch, "LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d", "eps - affine", Layer("instancenorm"), &["nn.LazyInstanceNorm2d(affine=True)"]),
    row(PyTorch, "GroupNorm", "groups - eps affine", Layer("groupnorm"), &["nn.GroupNorm(4, 64)"]),
    row(PyTorch, "LayerNorm", "", Write("`layernorm` of a vector; of a map `layernorm over channels`, which normalises each pixel by itself, or `groupnorm 1`, which normalises all together"), &[]),
    row(PyTorch, "LayerNorm2d", "- eps affine", Layer("layernorm over channels"), &["LayerNorm2d(64, eps=1e-6)"]),
    row(PyTorch, "LocalResponseNorm CrossMapLRN2d", "size alpha beta k", Layer("lrn"), &["nn.LocalResponseNorm(5, k=2.0)"]),
    row(PyTorch, "normalize", "", Layer("l2norm"), &[]),
    row(PyTorch, "ReLU", "inplace", Layer("relu"), &["nn.ReLU(inplace=True)"]),
    row(PyTorch, "ReLU6", "inplace", Layer("relu6"), &["nn.ReLU6()"]),
    row(PyTorch, "LeakyReLU", "slope inplace", Layer("leaky"), &["nn.LeakyReLU(0.1)"]),
    row(PyTorch, "PReLU", "single", Layer("prelu single on"), &["nn.PReLU(64)"]),
    row(PyTorch, "ELU", "alpha inplace", Layer("elu"), &["nn.ELU()"]),
    row(PyTorch, "CELU", "alpha inplace", Layer("celu"), &["nn.CELU(0.5)"]),
    row(PyTorch, "Hardshrink", "lambd", Layer("shrink"), &["nn.Hardshrink(0.5)"]),
    row(PyTorch, "SELU", "inplace", Layer("selu"), &["nn.SELU()"]),
    row(PyTorch, "GELU", "form", Layer("gelu"), &["nn.GELU()"]),
    row(PyTorch, "SiLU", "inplace", Layer("silu"), &["nn.SiLU()"]),
    row(PyTorch, "Mish", "inplace", Layer("mish"), &["nn.Mish()"]),
    row(PyTorch, "Softplus", "", Layer("softplus"), &["nn.Softplus()"]),
    row(PyTorch, "Softsign", "", Layer("softsign"), &["nn.Softsign()"]),
    row(PyTorch, "Hardswish", "inplace", Layer("hardswish"), &["nn.Hardswish()"]),
    row(PyTorch, "Hardsigmoid", "inplace", Layer("hardsigmoid"), &["nn.Hardsigmoid()"]),
    row(PyTorch, "Hardtanh", "low high", Layer("clip low -1 high 1"), &["nn.Hardtanh()"]),
    row(PyTorch, "Sigmoid", "", Layer("sigmoid"), &["nn.Sigmoid()"]),
    row(PyTorch, "Tanh", "", Layer("tanh"), &["nn.Tanh()"]),
    row(PyTorch, "Softmax Softmax2d", "dim", Layer("softmax"), &["nn.Softmax(dim=1)"]),
    row(PyTorch, "LogSoftmax", "dim", Layer("logsoftmax"), &["nn.LogSoftmax(dim=1)"]),
    row(PyTorch, "CircularPad1d CircularPad2d CircularPad3d", "", Write("`pad 1 wrap`"), &[]),
    row(PyTorch, "LPPool1d LPPool2d LPPool3d", "", Write("`lppool 3x3 /2 p 2`"), &[]),
    row(PyTorch, "Flatten", "start_dim end_dim", Layer("flatten"), &["nn.Flatten()"]),
    row(PyTorch, "Unflatten", "- shape", Layer("reshape"), &["nn.Unflatten(1, (64, 7, 7))"]),
    row(PyTorch, "permute", "", Layer("permute"), &["torch.permute(x, (0, 3, 1, 2))"]),
    row(PyTorch, "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout", "rate -", Layer("dropout"), &["nn.Dropout(0.2)"]),
    row(PyTorch, "Upsample interpolate", "size factor mode align_corners", Layer("upsample"), &["nn.Upsample(scale_factor=2, mode=\"bilinear\")"]),
    row(PyTorch, "UpsamplingNearest2d", "size factor", Layer("upsample"), &["nn.UpsamplingNearest2d(scale_factor=2)"]),
    row(PyTorch, "UpsamplingBilinear2d", "size factor", Layer("upsample mode bilinear align_corners on"), &["nn.UpsamplingBilinear2d(scale_factor=2)"]),
    row(PyTorch, "PixelShuffle", "size", Layer("depth_to_space order crd"), &["nn.PixelShuffle(2)"]),
    row(PyTorch, "PixelUnshuffle", "size", Layer("space_to_depth order crd"), &["nn.PixelUnshuffle(2)"]),
    row(PyTorch, "ChannelShuffle", "groups", Layer("shuffle"), &["nn.ChannelShuffle(2)"]),
    row(PyTorch, "ZeroPad1d ZeroPad2d ZeroPad3d", "pad", Layer("pad"), &["nn.ZeroPad2d(1)"]),
    row(PyTorch, "ConstantPad1d ConstantPad2d ConstantPad3d", "pad value", Layer("pad"), &["nn.ConstantPad2d(1, 0.5)"]),
    row(PyTorch, "ReflectionPad1d ReflectionPad2d ReflectionPad3d", "pad", Layer("pad mode reflect"), &["nn.ReflectionPad2d(3)"]),
    row(PyTorch, "ReplicationPad1d ReplicationPad2d ReplicationPad3d", "pad", Layer("pad mode edge"), &["nn.ReplicationPad2d((1, 2, 0, 1))"]),
    row(PyTorch, "cat", "", Layer("concat"), &["torch.cat([a, b], dim=1)"]),
    row(PyTorch, "add", "", Layer("add"), &["torch.add(a, b)"]),
    row(PyTorch, "sub subtract", "", Layer("sub"), &["torch.sub(a, b)"]),
    row(PyTorch, "mul multiply", "", Layer("mul"), &["torch.mul(a, b)"]),
    row(PyTorch, "div divide true_divide", "", Layer("div"), &["torch.div(a, b)"]),
    row(PyTorch, "maximum", "", Layer("max"), &["torch.maximum(a, b)"]),
    row(PyTorch, "minimum", "", Layer("min"), &["torch.minimum(a, b)"]),
    row(PyTorch, "abs", "", Layer("abs"), &["torch.abs(a)"]),
    row(PyTorch, "exp", "", Layer("exp"), &["torch.exp(a)"]),
    row(PyTorch, "sqrt", "", Layer("sqrt"), &["torch.sqrt(a)"]),
    row(PyTorch, "pow", "exponent", Layer("pow"), &["torch.pow(a, 2)"]),
    row(PyTorch, "square", "", Layer("pow exponent 2"), &["torch.square(a)"]),
    row(PyTorch, "reciprocal", "", Layer("pow exponent -1"), &["torch.reciprocal(a)"]),
    row(PyTorch, "Identity", "- -", Nothing("an identity changes nothing; in a `branch`, an empty `{ }` is one"), &[]),
    row(PyTorch, "StochasticDepth DropPath", "- -", Nothing("paths are dropped in training only"), &[]),
    row(PyTorch, "LayerScale LayerScale2d", "", Write("`conv 1x1 channels groups channels bias off`: a learned factor for each channel"), &[]),
    row(PyTorch, "transpose swapaxes swapdims movedim moveaxis", "", Write("`permute (0, 2, 1)`: all axes but the batch's in their new order, 0 for the channels"), &[]),
    row(PyTorch, "Softmin", "", Write("`scale -1 softmax`"), &[]),
    row(PyTorch, "Sequential ModuleList ModuleDict Container", "", Write("layers behind one another; `name: { … }` groups them under a label"), &[]),
    row(PyTorch, "PairwiseDistance CosineSimilarity", "", Write("`head verify { measure distance; sub(a, b) }`, or `head embed { metric cosine }`"), &[]),
    row(PyTorch, "SqueezeExcitation SELayer", "", Write("`mul { { } ; globalavgpool dense 16 relu dense 64 sigmoid }`: two layers of weights, then a factor for each channel"), &[]),
    row(PyTorch, "Conv2dNormActivation ConvNormActivation ConvBNReLU", "", Write("`conv 3x3 64 bn relu`, one layer after the other"), &[]),
    row(PyTorch, "MLP", "", Write("`dense 64 relu dense 10`, one layer after the other"), &[]),
    row(PyTorch, "FeaturePyramidNetwork", "", Write("`upsample 2`, `add(a, b)` and convolutions, with a label for each map"), &[]),
    row(PyTorch, "DataParallel DistributedDataParallel", "", Nothing("a network runs on the threads that `--threads` says"), &[]),
    row(PyTorch, "CrossEntropyLoss NLLLoss NLLLoss2d BCELoss BCEWithLogitsLoss MSELoss L1Loss SmoothL1Loss HuberLoss KLDivLoss PoissonNLLLoss GaussianNLLLoss HingeEmbeddingLoss SoftMarginLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss MarginRankingLoss CosineEmbeddingLoss TripletMarginLoss TripletMarginWithDistanceLoss CTCLoss LinearCrossEntropyLoss", "", Write("`train { loss cross_entropy }`: a loss is a part of `train`, and no layer"), &[]),
    row(PyTorch, "RoIPool", "", Write("`roipool(map, regions) 7x7`"), &[]),
    row(PyTorch, "RoIAlign MultiScaleRoIAlign", "", Write("`roialign(map, regions) 7x7`"), &[]),
    row(PyTorch, "AdaptiveLogSoftmaxWithLoss", "", Missing("this loss; `logsoftmax` is there, and `head classify` applies `softmax` to the logits itself"), &[]),
    row(PyTorch, "RMSNorm", "", Missing(NORM), &[]),
    row(PyTorch, "RReLU GLU Softshrink Tanhshrink LogSigmoid Threshold", "", Missing(ACTIVATION), &[]),
    row(PyTorch, "MaxUnpool1d MaxUnpool2d MaxUnpool3d FractionalMaxPool2d FractionalMaxPool3d", "", Missing("this kind of pool; `maxpool`, `avgpool`, `lppool` and the global ones are there"), &[]),
    row(PyTorch, "Fold Unfold DeformConv2d", "", Missing("sampling at places that depend on the input"), &[]),
    row(PyTorch, "Bilinear", "", Missing("products of two inputs with learned weights; `mul(a, b)` has none"), &[]),
    row(PyTorch, "Parameter ParameterList ParameterDict Buffer", "", Missing("a tensor that belongs to no layer; `prelu`, `bn` and `conv 1x1` have learned factors"), &[]),
    row(PyTorch, "RNN LSTM GRU RNNBase RNNCell RNNCellBase LSTMCell GRUCell Embedding EmbeddingBag MultiheadAttention MultiHeadAttention Attention Transformer TransformerEncoder TransformerDecoder TransformerEncoderLayer TransformerDecoderLayer", "", Missing(SEQUENCE), &[]),

    row(Keras, "Input InputLayer InputSpec Placeholder", "", Write("`input x: 3x224x224`: channels first, without the batch"), &[]),
    row(Keras, "Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D", "out kernel stride pad data_format dilation groups activation bias", Layer("conv"), &["Conv2D(16, 3, padding=\"same\", activation=\"relu\")"]),
    row(Keras, "Conv1DTranspose Conv2DTranspose Conv3DTranspose Deconvolution2D", "out kernel stride pad", Layer("convtranspose"), &["Conv2DTranspose(32, 2, strides=2)"]),
    row(Keras, "DepthwiseConv1D DepthwiseConv2D", "kernel stride pad", Layer("conv out channels groups channels"), &["DepthwiseConv2D(3, padding=\"same\")"]),
    row(Keras, "SeparableConv1D SeparableConv2D SeparableConvolution2D", "", Write("two layers: `conv 3x3 channels groups channels`, then `conv 1x1 64`"), &[]),
    row(Keras, "LocallyConnected2D", "out kernel stride pad", Layer("local"), &["LocallyConnected2D(16, 3)"]),
    row(Keras, "Dense", "out activation bias", Layer("dense"), &["Dense(10, activation=\"softmax\")"]),
    row(Keras, "MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D", "kernel stride pad", Layer("maxpool kernel 2"), &["MaxPooling2D((2, 2))"]),
    row(Keras, "AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D", "kernel stride pad", Layer("avgpool kernel 2"), &["AveragePooling2D(2)"]),
    row(Keras, "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D", "", Layer("globalavgpool"), &["GlobalAveragePooling2D()"]),
    row(Keras, "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D", "", Layer("globalmaxpool"), &["GlobalMaxPooling2D()"]),
    row(Keras, "BatchNormalization", "axis - eps", Layer("bn eps 1e-3"), &["BatchNormalization()"]),
    row(Keras, "GroupNormalization", "groups axis eps", Layer("groupnorm groups 32 eps 1e-3"), &["GroupNormalization(4)"]),
    row(Keras, "LayerNormalization", "axis eps", Layer("layernorm over channels eps 1e-3"), &["LayerNormalization()"]),
    row(Keras, "LeakyReLU", "slope", Layer("leaky slope 0.3"), &["layers.LeakyReLU()"]),
    row(Keras, "Flatten", "data_format", Layer("flatten order spatial"), &["layers.Flatten()"]),
    row(Keras, "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D", "rate", Layer("dropout"), &["layers.Dropout(0.5)"]),
    row(Keras, "Activation", "activation", Write("the activation's own name, behind the layer: `conv 3x3 16 relu`"), &["Activation(\"relu\")"]),
    row(Keras, "Concatenate", "axis", Layer("concat"), &["Concatenate()([a, b])"]),
    row(Keras, "Add", "", Layer("add"), &["Add()([a, b])"]),
    row(Keras, "Subtract", "", Layer("sub"), &["Subtract()([a, b])"]),
    row(Keras, "Multiply", "", Layer("mul"), &["Multiply()([a, b])"]),
    row(Keras, "Maximum", "", Layer("max"), &["Maximum()([a, b])"]),
    row(Keras, "Minimum", "", Layer("min"), &["Minimum()([a, b])"]),
    row(Keras, "Average", "", Write("`add(a, b) scale 0.5`"), &[]),
    row(Keras, "ZeroPadding1D ZeroPadding2D ZeroPadding3D", "pad", Layer("pad"), &["ZeroPadding2D(1)"]),
    row(Keras, "Cropping1D Cropping2D Cropping3D", "", Write("`crop 24x24`: the extents that are kept, from the middle or `at (row, column)`"), &[]),
    row(Keras, "UpSampling1D UpSampling2D UpSampling3D", "factor data_format mode", Layer("upsample factor 2"), &["UpSampling2D(2)"]),
    row(Keras, "Reshape", "", Write("`reshape 64x7x7`: channels first, where Keras has them last"), &[]),
    row(Keras, "Permute", "", Write("`permute (0, 2, 1)`: 0 for the channels, which Keras has last and counts from 1"), &[]),
    row(Keras, "Rescaling", "factor shift", Layer("scale"), &["Rescaling(2.0, -1.0)"]),
    row(Keras, "Normalization Resizing CenterCrop", "", Write("settings of the input: `input image: 3x224x224 { resize 256  crop 224  normalize imagenet }`"), &[]),
    row(Keras, "UnitNormalization", "", Write("`l2norm`"), &[]),
    row(Keras, "ThresholdedReLU", "", Layer("thresholdedrelu"), &[]),
    row(Keras, "GaussianNoise GaussianDropout ActivityRegularization SpectralNormalization RandomFlip RandomRotation RandomZoom RandomCrop", "", Nothing("it works in training only"), &[]),
    row(Keras, "Dot Lambda Masking RepeatVector TimeDistributed Bidirectional ConvLSTM2D", "", Missing("a layer of this kind"), &[]),

    row(Caffe, "Convolution", "", Layer("conv"), &[]),
    row(Caffe, "Deconvolution", "", Layer("convtranspose"), &[]),
    row(Caffe, "InnerProduct", "", Layer("dense"), &[]),
    row(Caffe, "Pooling", "", Write("`maxpool 3x3 /2 ceil` or `avgpool 3x3 /2 ceil`: Caffe rounds up"), &[]),
    row(Caffe, "AbsVal", "", Layer("abs"), &[]),
    row(Caffe, "BNLL", "", Layer("softplus"), &[]),
    row(Caffe, "MVN", "", Layer("instancenorm"), &[]),
    row(Caffe, "ShuffleChannel", "", Layer("shuffle"), &[]),
    row(Caffe, "Interp", "", Layer("upsample mode bilinear align_corners on"), &[]),
    row(Caffe, "Bias", "", Write("`scale 1 shift 0.5`; a learned one is that of the layer before"), &[]),
    row(Caffe, "Axpy", "", Write("`mul(a, b)`, then `add`"), &[]),
    row(Caffe, "SPP", "", Write("pools of several sizes with `flatten` behind each, in a `branch`"), &[]),
    row(Caffe, "ArgMax", "", Write("`head classify { … }`, which says the best classes"), &[]),
    row(Caffe, "Log", "", Layer("log"), &[]),
    row(Caffe, "Eltwise", "", Write("`add(a, b)`, `mul(a, b)` or `max(a, b)`"), &[]),
    row(Caffe, "Power", "", Write("`scale 0.5 shift 1`, then `pow 2`"), &[]),
    row(Caffe, "SoftmaxWithLoss SoftmaxLoss", "", Write("`head classify { … }`, which applies softmax itself"), &[]),
    row(Caffe, "ROIPooling", "", Write("`roipool(map, regions) 7x7`"), &[]),
    row(Caffe, "Split Silence Accuracy", "", Nothing("a tensor can be read as often as one likes"), &[]),
    row(Caffe, "Data ImageData HDF5Data MemoryData DummyData", "", Write("`input image: 3x224x224`"), &[]),
    row(Caffe, "PriorBox DetectionOutput", "", Missing("heads of this family; `head yolo2` and `head yolo3` find boxes"), &[]),

    row(Onnx, "Conv", "", Layer("conv"), &[]),
    row(Onnx, "Gemm MatMul", "", Layer("dense"), &[]),
    row(Onnx, "MaxPool", "", Layer("maxpool"), &[]),
    row(Onnx, "AveragePool AvgPool", "", Layer("avgpool"), &[]),
    row(Onnx, "GlobalAveragePool ReduceMean", "", Layer("globalavgpool"), &[]),
    row(Onnx, "GlobalMaxPool ReduceMax", "", Layer("globalmaxpool"), &[]),
    row(Onnx, "InstanceNormalization", "", Layer("instancenorm affine on"), &[]),
    row(Onnx, "MeanVarianceNormalization", "", Layer("instancenorm"), &[]),
    row(Onnx, "LpPool", "", Layer("lppool"), &[]),
    row(Onnx, "GlobalLpPool", "", Write("`reduce l2 (1, 2)`"), &[]),
    row(Onnx, "GatherND Scatter Where ConstantOfShape Shape Cast", "", Missing("a layer of this kind"), &[]),
    row(Onnx, "LpNormalization", "", Layer("l2norm"), &[]),
    row(Onnx, "Resize", "", Layer("upsample"), &[]),
    row(Onnx, "Sum", "", Layer("add"), &[]),
    row(Onnx, "Squeeze Unsqueeze", "", Write("`flatten`, or `reshape 64x7x7`"), &[]),
    row(Onnx, "QuantizeLinear DequantizeLinear", "", Missing("arithmetic in integers"), &[]),

    row(Darknet, "convolutional", "", Layer("conv"), &[]),
    row(Darknet, "deconvolutional", "", Layer("convtranspose"), &[]),
    row(Darknet, "connected", "", Layer("dense"), &[]),
    row(Darknet, "normalization", "", Layer("lrn"), &[]),
    row(Darknet, "reorg", "", Layer("space_to_depth order darknet"), &[]),
    row(Darknet, "logistic", "", Layer("sigmoid"), &[]),
    row(Darknet, "linear", "", Nothing("a linear activation changes nothing"), &[]),
    row(Darknet, "yolo region detection", "", Write("a head: `head yolo3 { … }`, `head yolo2 { … }` and `head yolo1 { … }` are what darknet calls yolo, region and detection"), &[]),
    row(Darknet, "cost", "", Nothing("it works in training only"), &[]),
    row(Darknet, "crnn", "", Missing(SEQUENCE), &[]),

    row(Common, "convolve convolution2d cnn", "", Layer("conv"), &[]),
    row(Common, "deconv conv_transpose transposed_conv transposeconv upconv deconvolve", "", Layer("convtranspose"), &[]),
    row(Common, "dwconv depthwise depthwise_conv", "", Layer("conv out channels groups channels"), &[]),
    row(Common, "fc fully_connected full affine ip", "", Layer("dense"), &[]),
    row(Common, "pool max_pooling mp", "", Layer("maxpool"), &[]),
    row(Common, "average_pooling mean_pool meanpool", "", Layer("avgpool"), &[]),
    row(Common, "gap global_average_pool global_avg_pooling mean", "", Layer("globalavgpool"), &[]),
    row(Common, "gmp", "", Layer("globalmaxpool"), &[]),
    row(Common, "batch_norm norm", "", Layer("bn"), &[]),
    row(Common, "lrelu leaky_rectify", "", Layer("leaky"), &[]),
    row(Common, "rectify rectifier", "", Layer("relu"), &[]),
    row(Common, "swish", "", Layer("silu"), &[]),
    row(Common, "hswish h_swish", "", Layer("hardswish"), &[]),
    row(Common, "hsigmoid h_sigmoid", "", Layer("hardsigmoid"), &[]),
    row(Common, "softrelu", "", Layer("softplus"), &[]),
    row(Common, "clamp", "", Layer("clip"), &[]),
    row(Common, "merge join concatenation stack", "", Layer("concat"), &[]),
    row(Common, "plus addition sum elementwise_add", "", Layer("add"), &[]),
    row(Common, "minus difference", "", Layer("sub"), &[]),
    row(Common, "times product prod", "", Layer("mul"), &[]),
    row(Common, "unpool upscale", "", Layer("upsample"), &[]),
    row(Common, "view", "", Layer("reshape"), &[]),
    row(Common, "l2_normalize l2_normalization l2", "", Layer("l2norm"), &[]),
    row(Common, "focus", "", Layer("space_to_depth size 2"), &[]),
    row(Common, "spp sppf", "", Write("`branch { { } ; maxpool 5x5 /1 pad half ; maxpool 9x9 /1 pad half ; maxpool 13x13 /1 pad half }`"), &[]),
    row(Common, "c2f c3 csp elan sppcspc", "", Write("a `block` of your own: several convolutions in a `branch` or `residual`"), &[]),
    row(Common, "skip skip_connection", "", Write("`residual { … }`, or `add(a, b)`"), &[]),
];
