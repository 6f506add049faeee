//! Sheets instead of a picture: one for each content layer, and Gram matrices.

use super::args::{Args, name};
use super::steps::steps;
use crate::{Failure, print, threads};
use cnnc::rt::image::Picture;
use cnnc::train::picture::{Grams, Style, StyleOptions};
use cnnc::train::side_by_side;
use serde_json::{Value, json};

/// A picture for each content layer alone.
pub(super) fn each(
    args: &Args,
    model: &cnnc::Model,
    weights: &cnnc::Weights,
    [content, style]: [&Picture; 2],
    options: &StyleOptions,
) -> Result<(), Failure> {
    let mut pictures = vec![];
    let mut rows = print::table(&["content", ">first", ">last", ">share", ">J last"]);
    let mut found = Vec::new();
    for (label, weight) in &args.content {
        let options = StyleOptions {
            content: vec![(label.clone(), *weight)],
            ..options.clone()
        };
        let mut transfer = Style::new(model, weights, content, style, &options)?;
        let first = transfer.last()?;
        steps(args, &mut transfer)?;
        let last = transfer.last()?;
        let share = if first.content > 0.0 {
            format!("{:.4}", last.content / first.content)
        } else {
            "–".to_owned()
        };
        rows.add_row([
            label.clone(),
            format!("{:.4e}", first.content),
            format!("{:.4e}", last.content),
            share.clone(),
            format!("{:.4e}", last.total),
        ]);
        found.push(json!({ "content": label, "first": first.content, "last": last.content, "total": last.total }));
        let said = match first.content > 0.0 {
            true => format!(
                "{:.1} % of its first cost",
                100.0 * last.content / first.content
            ),
            false => format!("cost {:.3e}", last.content),
        };
        pictures.push((label.clone(), said, transfer.picture()));
    }
    if pictures.is_empty() {
        return Err(cnnc::train::TrainError::Recipe(
            "`--each` takes the layers that `--content` names, several times for several"
                .to_owned(),
        )
        .into());
    }
    side_by_side(&pictures).write(&args.out)?;
    print::wrote(&args.out);
    match args.json {
        true => print::json(&json!(found))?,
        false => print::line(format_args!("{rows}\n{}", args.out.display()))?,
    }
    Ok(())
}

/// The Gram matrices of both pictures.
pub(super) fn grams(
    args: &Args,
    model: &cnnc::Model,
    weights: &cnnc::Weights,
    pictures: [&Picture; 2],
) -> Result<(), Failure> {
    if let Some((label, weight)) = args.style.iter().find(|(_, weight)| *weight != 1.0) {
        return Err(cnnc::train::TrainError::Recipe(format!(
            "`--gram` compares all layers alike: `--style {label}={weight}` is written `--style {label}` there"
        ))
        .into());
    }
    let labels: Vec<String> = args.style.iter().map(|(label, _)| label.clone()).collect();
    let grams = Grams::of(
        model,
        weights,
        pictures,
        &labels,
        args.size,
        threads::many(args.threads),
    )?;
    let names = [name(&args.picture), name(&args.with)];
    grams.sheet([&names[0], &names[1]]).write(&args.out)?;
    print::wrote(&args.out);
    if args.json {
        let layers = grams.layers.iter().map(|layer| json!({ "layer": layer.label, "channels": layer.channels, "distance": layer.distance(), "apart": layer.apart() }));
        let layers: Vec<Value> = layers.collect();
        return Ok(print::json(
            &json!({ "distance": grams.distance(), "layers": layers }),
        )?);
    }
    let mut table = print::table(&["layer", ">channels", ">distance", ">apart"]);
    for layer in &grams.layers {
        table.add_row([
            layer.label.clone(),
            layer.channels.to_string(),
            format!("{:.4e}", layer.distance()),
            format!("{:.4}", layer.apart()),
        ]);
    }
    print::line(format_args!(
        "{table}\nstyle distance {:.4e}\n{}",
        grams.distance(),
        args.out.display()
    ))?;
    Ok(())
}
