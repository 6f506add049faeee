//! What makes a mutant of a spec: bytes, words, pieces of itself and of others, and numbers that lead somewhere.

use cnnc_testing::Random;

/// Words that lead somewhere.
const WORDS: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "#",
    "///",
    ";",
    "\n",
    ":",
    ",",
    "->",
    " - ",
    "-",
    "*",
    "/",
    "%",
    "==",
    "x",
    "0",
    "1",
    "99999999999999999999",
    "1e308",
    "9223372036854775807",
    "-1",
    "0x0",
    "1x1x1x1x1",
    "16777216",
    " repeat 1000000 { ",
    " repeat 3 as i { ",
    " for i, (a, b) in [(1,2)] { ",
    " if 1 == 1 { ",
    " leaky 0.1, ",
    "(bn relu)",
    " relu if 1 < 2 { bn } else { tanh } ",
    " else ",
    " branch ",
    " branch mul { ",
    " residual { ",
    " shortcut auto { ",
    " shared s { ",
    " let w = ",
    "\nlet w = sqrt(",
    " route ",
    " tap ",
    " head classify ",
    " weights map { \"a{i+1}*\" -> \"*{i}\" } ",
    " defaults { ",
    " block ",
    " model M { ",
    " import \"std/blocks.cnn\" ",
    " conv 3x3 8 ",
    " conv 1x1 16777216 weight [[1]] ",
    " dense 16777216 ",
    " concat(",
    " add(",
    " bn relu ",
    " upsample 4096 ",
    " pad (16777216, 0, 0, 0) ",
    " dilation 16777216 ",
    " groups 0 ",
    "{i+1}",
    "é",
    "\u{feff}",
    "\0",
    " and ",
    " not ",
];

/// What numbers are replaced by.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "8",
    "15",
    "16",
    "17",
    "31",
    "33",
    "63",
    "64",
    "100",
    "255",
    "256",
    "1000",
    "1023",
    "4096",
    "4097",
    "65535",
    "65536",
    "65537",
    "1048576",
    "16777215",
    "16777216",
    "16777217",
    "2147483647",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "0.5",
    "0.1",
    "1e-30",
    "1e-300",
    "1e30",
    "1e38",
    "4e38",
    "-1",
    "-0.0",
];

/// The mutant of that number: every number makes one of its own, so that one which fails can be made alone.
pub fn mutant(specs: &[String], number: u64) -> String {
    let random = &mut Random(number << 20);
    // Small specs more often: they are quick, and as telling.
    let chosen = (0..3)
        .map(|_| random.pick(specs))
        .min_by_key(|text| text.len())
        .unwrap();
    let mut bytes = chosen.clone().into_bytes();
    // Half of all keep the form of a spec, and mostly are one; they are what is compiled.
    let gentle = random.below(2) == 0;
    for _ in 0..1 + random.below(if gentle { 2 } else { 4 }) {
        match gentle {
            true => replace_number(&mut bytes, random),
            false => change(&mut bytes, specs, random),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn change(bytes: &mut Vec<u8>, specs: &[String], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(12)).min(bytes.len());
    match random.below(9) {
        0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
        1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        2 => drop(bytes.drain(at..end)),
        3 => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        4 => replace_number(bytes, random),
        5 => {
            // A line of another, where a line ends.
            let lines: Vec<&str> = random.pick(specs).lines().collect();
            let line = format!("\n{}", random.pick(&lines));
            let to = bytes[at..].iter().position(|&byte| byte == b'\n');
            let to = to.map_or(bytes.len(), |to| at + to);
            bytes.splice(to..to, line.bytes());
        }
        _ => {
            bytes.splice(at..at, random.pick(WORDS).bytes());
        }
    }
}

/// Puts another number in place of the next one.
fn replace_number(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let digit = |from: usize| bytes[from..].iter().position(u8::is_ascii_digit);
    let Some(from) = digit(at).map(|from| at + from).or_else(|| digit(0)) else {
        return;
    };
    let rest = &bytes[from..];
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = match random.below(2) {
        0 => random.below(12).to_string(),
        _ => (*random.pick(NUMBERS)).to_owned(),
    };
    bytes.splice(from..from + len, number.bytes());
}
