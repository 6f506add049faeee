//! Weights of another network.
networks::cnn_model!(Wrong = "net.cnn", weights = "other.safetensors");
fn main() {}
