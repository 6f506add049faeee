//! No such file.
networks::cnn_model!(Wrong = "missing.cnn");
fn main() {}
