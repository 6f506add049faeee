//! The steps of a picture, with what is written on the way.

use super::args::Args;
use crate::{Failure, outputs, print, signals};
use cnnc::train::picture::Style;
use std::path::{Path, PathBuf};

/// Refuses pictures on the way that would be written over what is read, or over the curves. They are called differently from one another, and many.
pub(super) fn on_the_way(args: &Args, read: &[&Path]) -> Result<(), Failure> {
    let Some(every) = args.every else {
        return Ok(());
    };
    for step in (every..=args.steps).step_by(every as usize) {
        let path = numbered(&args.out, step);
        if args.curves.as_ref() == Some(&path) {
            let file = path.display().to_string();
            return Err(Failure::Twice { file });
        }
        if path.exists() {
            outputs::apart([path.as_path()], read.iter().copied())?;
        }
    }
    Ok(())
}

/// Takes all steps, and writes pictures on the way. The first Ctrl-C ends it with the picture as it is.
pub(super) fn steps(args: &Args, transfer: &mut Style) -> Result<(), Failure> {
    signals::ask();
    let bar = print::progress_of_picture();
    let mut done: u32 = 0;
    while let Some(costs) = transfer.step()? {
        done += 1;
        bar(
            done as usize,
            args.steps as usize,
            costs.content,
            costs.style,
        );
        if args.every.is_some_and(|every| done.is_multiple_of(every)) {
            transfer.picture().write(numbered(&args.out, done))?;
        }
        if signals::asked().is_some() {
            break;
        }
    }
    bar(args.steps as usize, args.steps as usize, 0.0, 0.0);
    Ok(())
}

/// `out-0020.png` beside `out.png`.
fn numbered(out: &Path, step: u32) -> PathBuf {
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let ending = out.extension().unwrap_or("png".as_ref()).to_string_lossy();
    out.with_file_name(format!("{stem}-{step:04}.{ending}"))
}
