//! A mistake in a file.
networks::cnn_model!(Wrong = "wrong.cnn");
fn main() {}
