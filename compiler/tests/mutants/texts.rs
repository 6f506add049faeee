//! Texts that were, or might be, too much for the front end.

use super::MemoryLoader;
use super::PATIENCE;
use cnnc_compiler::{Files, compile_source};
use std::time::Instant;

#[test]
fn hostile_texts_are_answered() {
    let open = "(".repeat(1 << 20);
    let nots = format!(
        "cnn 1\nmodel M {{ input x: 3; if {} 1 == 1 {{ relu }} }}",
        "not ".repeat(200_000)
    );
    let minus = format!(
        "cnn 1\nmodel M {{ input x: 3; relu ({}1) }}",
        "-".repeat(900_000)
    );
    let sums = format!(
        "cnn 1\nmodel M {{ input x: 3; dense (1{}) }}",
        "+1".repeat(400_000)
    );
    let mixed = format!(
        "cnn 1\nmodel M {{ input x: 3; dense (1{}) }}",
        " + not 2".repeat(100_000)
    );
    let blocks = format!(
        "cnn 1\nmodel M {{ input x: 3; {} relu {} }}",
        "repeat 2 { ".repeat(60),
        "} ".repeat(60)
    );
    let lists = format!(
        "cnn 1\nmodel M {{ input x: 3; a: {}{} }}",
        "[".repeat(60),
        "]".repeat(60)
    );
    let words = format!(
        "cnn 1\nmodel M {{ input x: 3; {} }}",
        "relu ".repeat(200_000)
    );
    let wrong = format!("cnn 1\nmodel M {{ input x: 3; {} }}", "= ;".repeat(300_000));
    let quotes = "\"\n".repeat(500_000);
    let elses = format!(
        "cnn 1\nmodel M {{ input x: 3; if 1 == 2 {{ }} {} }}",
        "else if 1 == 2 { } ".repeat(50_000)
    );
    let numbers = format!(
        "cnn 1\nmodel M {{ input x: 3; dense [{}] }}",
        "1,".repeat(250_000)
    );
    let label = format!(
        "cnn 1\nmodel M {{ input x: 3; {}: relu }}",
        "a".repeat(900_000)
    );
    let nested = "{".repeat(64) + &"}".repeat(64);
    let calls: String = (0..60)
        .map(|i| format!("block b{i}() {{ b{}(); b{}() }}\n", i + 1, i + 1))
        .collect();
    let calls = format!("cnn 1\n{calls} block b60() {{ relu }}\nmodel M {{ input x: 3; b0() }}");
    let pattern = format!(
        "cnn 1\nmodel M {{ input x: 3; {}: dense 3; weights map {{ \"a\" -> \"{}\" }} }}",
        "a".repeat(2000),
        "{a}".repeat(300)
    );
    let texts = [
        open,
        nots,
        minus,
        sums,
        mixed,
        blocks,
        lists,
        words,
        wrong,
        quotes,
        elses,
        numbers,
        label,
        nested,
        calls,
        pattern,
        String::new(),
        "\u{feff}".to_owned(),
        "\0".repeat(1000),
        "cnn".to_owned(),
        "cnn 1".to_owned(),
        "x".repeat((1 << 20) + 1),
    ];
    for text in texts {
        let begin = Instant::now();
        let start: String = text.chars().take(60).collect();
        let mut files = Files::new(MemoryLoader::default());
        if let Err(problems) = compile_source(&mut files, "net.cnn", &text) {
            let told = problems.render(false);
            assert!(
                !told.is_empty() && told.len() < 1 << 20,
                "{start}: {}",
                told.len()
            );
        }
        println!("{:?} {start:?}", begin.elapsed());
        assert!(
            begin.elapsed() < PATIENCE,
            "{start} takes {:?}",
            begin.elapsed()
        );
    }
}
