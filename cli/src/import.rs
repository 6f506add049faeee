//! `cnnc import`: an ONNX file, or a darknet configuration, as a spec.

use crate::{Failure, onnx, outputs, print};
use cnnc::compiler::words;
use cnnc::darknet::{self, Options};
use cnnc::rt::files::open_ordinary;
use cnnc::rt::sniff::{self, Kind};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// What may be written behind `import`.
#[derive(clap::Args)]
pub struct Args {
    /// The .onnx, or the darknet .cfg
    #[arg(value_name = "NET.onnx|NET.cfg")]
    cfg: PathBuf,
    #[command(flatten)]
    open: onnx::Open,
    #[command(flatten)]
    look: onnx::Look,
    /// The .cnn to write, instead of printing it; the weights of an .onnx beside it, as .safetensors
    #[arg(short, long, value_name = "NET.cnn")]
    out: Option<PathBuf>,
    /// The file with the names of the classes
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Keep pictures' proportions, on grey, as darknet's own `detect` does, instead of stretching them to the input; of an .onnx with the size: `--letterbox=640`
    #[arg(long, value_name = "N|WxH", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    letterbox: Option<String>,
    /// Of an .onnx: replace weights that are there, though no import of this network wrote them
    #[arg(long)]
    force: bool,
}

/// Imports the configuration; writes the whole spec or nothing.
pub fn run(args: &Args) -> Result<(), Failure> {
    let file = args.cfg.display().to_string();
    let given = [&args.cfg].into_iter().chain(&args.labels);
    outputs::apart(args.out.as_deref(), given.map(PathBuf::as_path))?;
    if onnx::is_one(&args.cfg) {
        return from_onnx(args);
    }
    if args.look.is_given() || args.force {
        return Err(Failure::NotOnnx);
    }
    let cfg = read(&args.cfg).map_err(|error| {
        let why = error.to_string();
        let file = file.clone();
        Failure::Read { file, why }
    })?;
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let directory = args
        .out
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    let labels = args.labels.as_ref().map(|labels| from(directory, labels));
    let options = Options {
        name: args
            .cfg
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        doc: format!(
            "Imported from {}, a configuration of darknet.",
            name(&args.cfg)
        ),
        labels: labels.map(|labels| labels.to_string_lossy().into_owned()),
        letterbox: args.letterbox.is_some(),
    };
    let spec = match darknet::import(&cfg, &options) {
        Ok(spec) => spec,
        Err(error) => {
            let other = |kind: &Kind| ![sniff::TEXT, sniff::DARKNET_CFG].contains(&kind.name);
            let kind = sniff::kind(&cfg).filter(other);
            return Err(match kind {
                Some(kind) => Failure::NotCfg { file, kind },
                None => Failure::Cfg { file, error },
            });
        }
    };
    // Nothing is written that does not compile.
    let place = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("imported.cnn"));
    let model = match cnnc::compile_str(&place, &spec) {
        Ok(model) => model,
        Err(error) => return Err(unfit(args.labels.as_deref(), error)),
    };
    print::diagnostics(model.warnings());
    match &args.out {
        None => print::line(spec.trim_end())?,
        Some(out) => {
            outputs::write(out, &spec)?;
            let file = out.display();
            let layers = words::count(model.graph().order.len(), "layer");
            print::line(format_args!("{file}: {}, {layers}", model.graph().name))?;
        }
    }
    Ok(())
}

/// Imports an ONNX file: the spec and its weights, or nothing.
fn from_onnx(args: &Args) -> Result<(), Failure> {
    let directory = args
        .out
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    let labels = args.labels.as_ref().map(|labels| from(directory, labels));
    let letterbox = match args.letterbox.as_deref() {
        Some("") => {
            return Err(Failure::Read {
                file: "--letterbox".to_owned(),
                why: "of an .onnx it takes the size: `--letterbox=640`".to_owned(),
            });
        }
        other => other,
    };
    let pictures = args.look.pictures(letterbox, labels.as_deref())?;
    let imported = onnx::import(
        &args.cfg,
        &args.open,
        pictures,
        Vec::new(),
        args.out.clone(),
    )?;
    print::diagnostics(imported.model.warnings());
    onnx::warn(&imported);
    let Some(out) = &args.out else {
        return Ok(print::line(imported.spec.trim_end())?);
    };
    let weights = out.with_extension("safetensors");
    let read = [&args.cfg].into_iter().chain(&args.labels);
    let read = read.chain(&imported.files).map(PathBuf::as_path);
    outputs::apart([out.as_path(), &weights], read)?;
    let before = weights.exists();
    if !args.force && weights.is_file() && !imported.wrote(&begin(&weights)?) {
        let file = weights.display().to_string();
        return Err(Failure::Kept { file });
    }
    // The spec last: without its weights it would be the worse half.
    outputs::write_bytes(&weights, &imported.weights)?;
    if let Err(error) = outputs::write(out, &imported.spec) {
        if !before {
            // What cannot be removed is no worse than the failure that is told.
            let _ = std::fs::remove_file(&weights);
        }
        return Err(error);
    }
    let (model, layers) = (
        &imported.model.graph().name,
        imported.model.graph().order.len(),
    );
    let layers = words::count(layers, "layer");
    print::line(format_args!(
        "{}: {model}, {layers}\n{}: {} bytes",
        out.display(),
        weights.display(),
        imported.weights.len()
    ))?;
    Ok(())
}

/// A file's first bytes, as far as they say what wrote it.
fn begin(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || {
        let mut bytes = Vec::new();
        open_ordinary(path)?
            .take(cnnc::onnx::Imported::MARK as u64)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().map_err(|error: std::io::Error| Failure::Read {
        file: path.display().to_string(),
        why: error.to_string(),
    })
}

/// Why an imported spec does not compile: the configuration does, so the names of the classes do not suit it.
fn unfit(labels: Option<&Path>, error: cnnc::Error) -> Failure {
    match (labels, error) {
        (Some(labels), cnnc::Error::Spec(problems)) => {
            let file = labels.display().to_string();
            let why = problems.items().first();
            let why = why.map_or_else(String::new, |problem| problem.message.clone());
            Failure::Labels { file, why }
        }
        (_, error) => error.into(),
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_ordinary(path)?
        // One more than is accepted, so that longer ones are known as such.
        .take(darknet::MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a file is called from that directory.
fn from(directory: &Path, file: &Path) -> PathBuf {
    let directory = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    let (Ok(directory), Ok(file)) = (directory.canonicalize(), file.canonicalize()) else {
        return file.to_owned();
    };
    let common = directory
        .components()
        .zip(file.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = directory
        .components()
        .skip(common)
        .map(|_| Component::ParentDir);
    up.chain(file.components().skip(common)).collect()
}
