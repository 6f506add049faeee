//! Texts at random: every construct of the grammar, whether or not it means anything, with blanks and comments wherever they may stand.

use cnnc_testing::Random;
use std::fmt::Write as _;

/// A text that parses.
pub fn spec(random: &mut Random) -> String {
    let mut out = "cnn 1\n".to_owned();
    for _ in 0..random.below(3) {
        match random.below(4) {
            0 => out += "import \"std/blocks.cnn\"\n",
            1 => {
                _ = writeln!(
                    out,
                    "let {} = {}",
                    ["v", "u"][random.below(2)],
                    member(random, 3)
                )
            }
            2 => _ = writeln!(out, "preset p {{ {} }}", settings(random)),
            _ => {
                _ = writeln!(
                    out,
                    "/// Said of it.\nblock b({}) {}",
                    ["", "a", "a, b"][random.below(3)],
                    body(random, 3)
                )
            }
        }
    }
    _ = writeln!(out, "model M {}", body(random, 4));
    out
}

fn word(random: &mut Random) -> String {
    (*random.pick(&[
        "conv", "relu", "w", "half", "bn.eps", "a.b", "channels", "f", "x1", "on",
    ]))
    .to_owned()
}

fn number(random: &mut Random) -> String {
    (*random.pick(&[
        "1",
        "64",
        "61_706",
        "0.5",
        "1e-5",
        "3x3",
        "1x28x28",
        "1.5E+3",
        "3x(s)x(s)",
        "(2*w)x3",
    ]))
    .to_owned()
}

fn list(random: &mut Random, depth: usize, brackets: [&str; 2]) -> String {
    let items: Vec<String> = (0..random.below(4))
        .map(|_| member(random, depth))
        .collect();
    let comma = if random.below(4) == 0 && !items.is_empty() {
        ","
    } else {
        ""
    };
    format!("{}{}{comma}{}", brackets[0], items.join(", "), brackets[1])
}

fn member(random: &mut Random, depth: usize) -> String {
    let mut text = expr(random, depth);
    // A chain as a value begins with a word.
    if !text.ends_with(|c: char| c.is_ascii_alphabetic()) || text.contains([' ', '-', '<', '%']) {
        return text;
    }
    for _ in 0..random.below(3) / 2 {
        _ = write!(
            text,
            " {}",
            random.pick(&[
                "3x3",
                "relu",
                "8",
                "\"a b\"",
                "bn eps 1e-3",
                "/2",
                "(w + 1)",
                "se(4)"
            ])
        );
    }
    text
}

fn operand(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return if random.below(2) == 0 {
            word(random)
        } else {
            number(random)
        };
    }
    match random.below(8) {
        0 => list(random, depth - 1, ["(", ")"]),
        1 => list(random, depth - 1, ["[", "]"]),
        2 => format!("{}{}", word(random), list(random, depth - 1, ["(", ")"])),
        3 => format!("{}[{}]", word(random), expr(random, depth - 1)),
        4 => format!(
            "if {} {{ {} }} else {{ {} }}",
            condition(random),
            member(random, depth - 1),
            member(random, depth - 1)
        ),
        5 => "\"# no comment { \"".to_owned(),
        6 => number(random),
        _ => word(random),
    }
}

fn condition(random: &mut Random) -> String {
    (*random.pick(&[
        "a",
        "not a",
        "i == 0",
        "a<b",
        "1 < 2 and not b or c >= -1",
        "s != 1 and c == channels",
    ]))
    .to_owned()
}

fn expr(random: &mut Random, depth: usize) -> String {
    let mut text = operand(random, depth);
    for _ in 0..random.below(3) / 2 {
        let sign = random.pick(&[" + ", "-", " * ", " / ", "%", " == ", "<=", " and ", " or "]);
        let minus = random.pick(&["", "", "-", "not "]);
        text = format!(
            "{text}{sign}{minus}{}",
            operand(random, depth.saturating_sub(1))
        );
    }
    text
}

fn settings(random: &mut Random) -> String {
    let items = [
        "pad half",
        "bn.eps 1e-5",
        "bias off",
        "mean [0.1, 0.2]",
        "/2",
        "-1",
        "weights 1",
        "\"text\"",
        "resize 256",
    ];
    let items: Vec<&str> = (0..random.below(4)).map(|_| *random.pick(&items)).collect();
    items.join(*random.pick(&["  ", " ", " ; "]))
}

fn label(random: &mut Random) -> String {
    (*random.pick(&[
        "",
        "",
        "",
        "c1: ",
        "features.0.conv-a: ",
        "layer{i+1}.{j}: ",
        "{if a { 1 } else { n - 2 }}x: ",
        "else: ",
    ]))
    .to_owned()
}

fn term(random: &mut Random, depth: usize) -> String {
    match random.below(16) {
        0..4 => word(random),
        4 | 5 => number(random),
        6 => format!("{}{}", word(random), list(random, 1, ["(", ")"])),
        7 => list(random, 2, ["[", "]"]),
        8 => format!("({})", expr(random, 2)),
        9 => (*random.pick(&["/2", "/1x2", "/s", "/(s)", "/(a)x(b)", "-1", "-0.5"])).to_owned(),
        10 => "\"a string\"".to_owned(),
        11 if depth > 0 => format!(
            "branch {}{}",
            random.pick(&["", "add ", "concat axis 1 "]),
            body(random, depth - 1)
        ),
        12 if depth > 0 => {
            let shortcut = match random.below(4) {
                0 => " shortcut identity".to_owned(),
                1 => format!(" shortcut auto {}", body(random, depth - 1)),
                2 => format!(" shortcut {}", body(random, depth - 1)),
                _ => String::new(),
            };
            format!("residual {}{shortcut}", body(random, depth - 1))
        }
        13 if depth > 0 => {
            let otherwise = match random.below(3) {
                0 => format!(
                    " else if {} {} else {}",
                    condition(random),
                    body(random, depth - 1),
                    body(random, depth - 1)
                ),
                1 => format!(" else {}", body(random, depth - 1)),
                _ => String::new(),
            };
            format!(
                "if {} {}{otherwise}",
                condition(random),
                body(random, depth - 1)
            )
        }
        14 if depth > 0 => format!("mul {}", body(random, depth - 1)),
        _ => "route \"0.1\"".to_owned(),
    }
}

fn chain(random: &mut Random, depth: usize) -> String {
    let terms: Vec<String> = (0..1 + random.below(5))
        .map(|_| term(random, depth))
        .collect();
    let mut text = terms[0].clone();
    for term in &terms[1..] {
        text += *random.pick(&[" ", " ", " ", "  ", "   ", " + ", " - "]);
        text += term;
    }
    text
}

fn statement(random: &mut Random, depth: usize) -> String {
    let label = label(random);
    let inner = depth.saturating_sub(1);
    let text = match random.below(if depth > 0 { 18 } else { 8 }) {
        0..6 => format!("{label}{}", chain(random, depth)),
        6 => format!(
            "let {} = {}",
            ["v", "u"][random.below(2)],
            member(random, 2)
        ),
        7 => "tap a, \"0.1\"".to_owned(),
        8 => format!("input x, y: 1x28x28 {{ {} }}", settings(random)),
        9 => format!("defaults {{ {} }}", settings(random)),
        10 => format!("{label}{}", body(random, inner)),
        11 => format!("{label}repeat (n - 1) as j {}", body(random, inner)),
        12 => format!(
            "for i, (a, b) in {} {}",
            list(random, 2, ["[", "]"]),
            body(random, inner)
        ),
        13 => format!("shared twin(p, q) {}", body(random, inner)),
        14 => format!("head classify {}", body(random, inner)),
        15 => format!(
            "weights map {{ \"a{{i}}\" -> \"b\"{}\"*.c\" -> \"ddd\" }}",
            random.pick(&[" ", "  ", ", "])
        ),
        16 => format!(
            "train {{ optimizer sgd {{ {} }}  batch 64 ; rate 0.1 {{ cosine }} }}",
            settings(random)
        ),
        _ => format!("expect {{ {} }}", settings(random)),
    };
    match random.below(12) {
        0 => format!("/// A doc.\n{text}"),
        _ => text,
    }
}

fn body(random: &mut Random, depth: usize) -> String {
    let statements: Vec<String> = (0..random.below(4))
        .map(|_| statement(random, depth))
        .collect();
    let lines = random.below(3) > 0 || statements.iter().any(|text| text.contains("///"));
    match lines {
        true => format!("{{\n{}\n}}", statements.join("\n")),
        false => format!("{{ {} }}", statements.join(" ; ")),
    }
}

/// The text with other blanks, and with comments and blank lines between its own.
pub fn respaced(text: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut depth = Vec::new();
    for line in text.lines() {
        let (mut string, mut blank) = (false, false);
        // Where the line's own comment begins.
        let mut said = false;
        let indent = ["", "  ", "\t", "        "][random.below(4)];
        out += if random.below(3) == 0 { indent } else { "" };
        for (at, c) in line.trim_start().char_indices() {
            let rest = &line.trim_start()[at..];
            if said || string {
                string &= c != '"';
                out.push(c);
                continue;
            }
            let before = std::mem::replace(&mut blank, c == ' ');
            match c {
                '"' => string = true,
                '#' => said = true,
                '/' if rest.starts_with("//") => said = true,
                '(' | '[' | '{' => depth.push(c),
                ')' | ']' | '}' => _ = depth.pop(),
                _ => {}
            }
            let round = matches!(depth.last(), Some('(' | '['));
            if c != ' ' {
                out.push(c);
                if round && (c == ',' || c == '[') && random.below(8) == 0 {
                    out += if random.below(2) == 0 {
                        "\n"
                    } else {
                        " # within\n"
                    };
                }
            } else if !before {
                out += *random.pick(&[" ", " ", " ", "  ", "\t", "    "]);
            }
        }
        if string || said {
            out.push('\n');
            continue;
        }
        out += *random.pick(&["", "", " ", "  # said", "\t#said {", "\r"]);
        out.push('\n');
        match random.below(12) {
            0 => out.push('\n'),
            1 => out += "\n\n\n",
            2 => out += "   # between\n",
            3 if !text.contains("->") && depth.last() == Some(&'{') => out += ";\n",
            _ => {}
        }
    }
    out
}
