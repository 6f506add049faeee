//! Mistakes in a spec that stands here.
networks::cnn_model! {
    pub Wrong {
        input image: 1x6x6      # größer wäre besser
        c: conv 3x3 4 pad hlaf; d: relu
        flatten
        e: dense 10 rellu
    }
}
fn main() {}
