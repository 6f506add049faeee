//! An argument that the macro does not have.
networks::cnn_model!(Wrong = "net.cnn", wights = "net.safetensors");
fn main() {}
