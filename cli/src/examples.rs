//! Examples of every command, as its `--help` shows them, and the command line that they are of.

use crate::Cli;
use clap::{Command, CommandFactory as _};

/// Lines for each command, in the order of the list of commands.
pub const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "check",
        &[
            "cnnc check net.cnn",
            "cnnc check net.cnn --fix",
            "cnnc check specs/*.cnn --json",
        ],
    ),
    ("fmt", &["cnnc fmt net.cnn", "cnnc fmt specs/*.cnn --check"]),
    (
        "summary",
        &[
            "cnnc summary resnet50",
            "cnnc summary net.cnn --batch 8 --json",
        ],
    ),
    (
        "graph",
        &[
            "cnnc graph resnet50 -o resnet50.svg",
            "cnnc graph net.cnn --expand -o net.png",
        ],
    ),
    (
        "zoo",
        &[
            "cnnc zoo",
            "cnnc zoo lenet5",
            "cnnc zoo squeezenet1_1 -o my_net.cnn",
        ],
    ),
    (
        "dump",
        &[
            "cnnc dump net.cnn --stage=loops",
            "cnnc dump net.cnn --stage=graph --passes",
        ],
    ),
    (
        "explain",
        &[
            "cnnc explain net.cnn",
            "cnnc explain net.cnn --weights w.safetensors --input cat.jpg",
            "cnnc explain E0101",
        ],
    ),
    (
        "run",
        &[
            "cnnc run squeezenet1_1 --weights w.safetensors cat.jpg",
            "cnnc run yolov2_coco --weights yolov2.weights street.jpg --draw boxes.jpg",
            "cnnc run net.cnn --weights w.pt --input synthetic --raw out.safetensors",
            "cnnc run net.cnn --weights w.pt cat.npy --compare theirs.npz",
            "cnnc run net.cnn --weights w.pt photos --json",
            "cnnc run net.onnx cat.jpg",
        ],
    ),
    (
        "import",
        &[
            "cnnc import yolov3.cfg --labels coco.names -o yolov3.cnn",
            "cnnc import net.onnx -o net.cnn",
        ],
    ),
    (
        "export",
        &["cnnc export net.cnn --weights w.safetensors -o net.onnx"],
    ),
    (
        "weights",
        &[
            "cnnc weights resnet50.pth",
            "cnnc weights resnet50.pth resnet50 --strict",
        ],
    ),
    (
        "convert",
        &["cnnc convert resnet50 --weights resnet50.pth resnet50.safetensors"],
    ),
    (
        "identify",
        &["cnnc identify face_embed18 --weights w.safetensors --gallery people who.jpg"],
    ),
    (
        "bench",
        &[
            "cnnc bench resnet50 --threads 2",
            "cnnc bench net.cnn --layers --seconds 3",
            "cnnc bench lenet5 squeezenet1_1 --threads 1,2",
            "cnnc bench net.cnn --kernels",
            "cnnc bench net.cnn --weights w.safetensors --input photos",
            "cnnc bench net.cnn --report net.html",
        ],
    ),
    (
        "gradcheck",
        &["cnnc gradcheck net.cnn", "cnnc gradcheck small.cnn --show"],
    ),
    (
        "train",
        &[
            "cnnc train lenet5 --data mnist",
            "cnnc train net.cnn --data photos --epochs 20 --batch 32",
            "cnnc train net.cnn --data photos --dry",
            "cnnc train --resume runs/lenet5-01",
        ],
    ),
    (
        "evaluate",
        &[
            "cnnc evaluate lenet5 --weights runs/lenet5-01/weights.safetensors --data mnist --out matrix.svg",
        ],
    ),
    (
        "plot",
        &["cnnc plot runs/lenet5-01 runs/lenet5-02 -o curves.svg"],
    ),
    (
        "new",
        &["cnnc new --from squeezenet1_1 --weights w.safetensors --data photos -o mine.cnn"],
    ),
    ("anchors", &["cnnc anchors boxes -n 5 --input 416x416"]),
    (
        "style",
        &["cnnc style squeezenet1_1 --weights w.safetensors photo.jpg painting.jpg -o styled.jpg"],
    ),
    (
        "visualize",
        &["cnnc visualize squeezenet1_1 --weights w.safetensors --photo cat.jpg -o seen"],
    ),
    ("crops", &["cnnc crops boxes -o crops --size 48"]),
    (
        "propose",
        &["cnnc propose street.jpg --draw regions.png --out regions.csv"],
    ),
    (
        "completions",
        &[
            "cnnc completions bash > ~/.local/share/bash-completion/completions/cnnc",
            "cnnc completions zsh > ~/.zfunc/_cnnc   # with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc",
            "cnnc completions fish > ~/.config/fish/completions/cnnc.fish",
        ],
    ),
];

/// The whole command line: every command with its examples.
pub fn command() -> Command {
    let mut command = Cli::command();
    for &(name, lines) in EXAMPLES {
        let text = format!("Examples:\n  {}", lines.join("\n  "));
        command = command.mut_subcommand(name, |command| command.after_help(text));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_examples_that_are_understood() {
        let names: Vec<String> = Cli::command()
            .get_subcommands()
            .map(|command| command.get_name().to_owned())
            .collect();
        let shown: Vec<&str> = EXAMPLES.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, shown, "in the order of the commands");
        for (name, lines) in EXAMPLES {
            assert!(!lines.is_empty(), "{name}");
            for line in *lines {
                let (line, _) = line.split_once(" > ").unwrap_or((line, ""));
                let words: Vec<&str> = line.split(' ').collect();
                assert_eq!(words[..2], ["cnnc", name], "{line}");
                if let Err(mistake) = command().try_get_matches_from(&words) {
                    panic!("{line}: {mistake}");
                }
            }
            let help = command().find_subcommand_mut(name).unwrap().render_help();
            assert!(help.to_string().contains(lines[0]), "{name}");
        }
        command().debug_assert();
    }

    /// Which commands run on threads, and on how many where nobody says it; README.md has the same.
    const THREADS: &[(&str, &str)] = &[
        ("run", "[default: 1]"),
        ("identify", "[default: 1]"),
        ("bench", "[default: 1; with --report 1 and 2]"),
        ("train", "[default: every processor, 16 at most"),
        ("evaluate", "[default: every processor, 16 at most]"),
        ("style", "[default: every processor, 16 at most]"),
        ("visualize", "[default: every processor, 16 at most]"),
    ];

    #[test]
    fn every_command_says_how_many_threads_it_takes() {
        let mut found = Vec::new();
        for mut command in command().get_subcommands().cloned().collect::<Vec<_>>() {
            let name = command.get_name().to_owned();
            let has = |flag: &str| command.get_arguments().any(|arg| arg.get_id() == flag);
            let (threads, decoders) = (has("threads"), has("decoders"));
            let help = command.render_long_help().to_string();
            let about = |flag: &str| {
                let (_, about) = help.split_once(&format!("--{flag} <N")).unwrap();
                // The next flag has no letter, or one.
                let about = about.split("\n      -").next().unwrap();
                let about = about.split("\n  -").next().unwrap();
                about.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            if threads {
                let known = THREADS.iter().find(|(known, _)| *known == name);
                let (_, default) = known.unwrap_or_else(|| panic!("{name} is not listed"));
                let about = about("threads");
                assert!(about.contains(default), "{name}: {about}");
                found.push(name);
            }
            if decoders {
                let about = about("decoders");
                assert!(about.contains("by default one for each core that is left"));
            }
        }
        assert_eq!(found.len(), THREADS.len(), "{found:?}");
        let readme = std::fs::read_to_string(cnnc_testing::file("README.md")).unwrap();
        assert!(readme.contains(
            "`run`, `identify` and `bench` take one thread unless `--threads` says more, `train`, `evaluate`, `style` and `visualize` every processor, 16 at most"
        ));
    }
}
