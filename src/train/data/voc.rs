//! Boxes as PASCAL VOC has them: `JPEGImages` with pictures, `Annotations` with an XML file for each, and in `ImageSets/Main` lists of names: `train.txt` to learn from, `val.txt` (or `test.txt`) to be judged by.

use super::DataError;
use super::annotated::{Annotated, Purpose, Written};
use super::files::{ends_with, entries, read};
use cnnc_runtime::answer::BBox;
use std::collections::BTreeSet;
use std::path::Path;

/// The pictures of a folder, if it is such a one.
pub(super) fn pictures(folder: &Path) -> Result<Option<Vec<Annotated>>, DataError> {
    let (notes, images) = (folder.join("Annotations"), folder.join("JPEGImages"));
    if !notes.is_dir() || !images.is_dir() {
        return Ok(None);
    }
    let files = entries(&notes)?;
    let files: Vec<_> = files.iter().filter(|path| ends_with(path, "xml")).collect();
    let known: BTreeSet<String> = files.iter().map(|path| stem(path)).collect();
    let list = |name: &str| -> Result<Option<BTreeSet<String>>, DataError> {
        let path = folder.join("ImageSets/Main").join(name);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = read(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        // Behind a name there may be whether its class is in the picture.
        let names = text
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        if let Some(lacks) = names.iter().find(|name| !known.contains(*name)) {
            let why = format!("`{lacks}` has no file {lacks}.xml in Annotations");
            return Err(DataError::Broken(path, why));
        }
        Ok(Some(names))
    };
    let train = match list("train.txt")? {
        Some(names) => Some(names),
        None => list("trainval.txt")?,
    };
    let judges = match list("val.txt")? {
        Some(names) => Some(names),
        None => list("test.txt")?,
    };
    let mut all = Vec::new();
    for file in files {
        let name = stem(file);
        let is_in = |list: &Option<BTreeSet<String>>| {
            list.as_ref().is_some_and(|names| names.contains(&name))
        };
        let purpose = match (&train, is_in(&train), is_in(&judges)) {
            (_, _, true) => Purpose::Judge,
            (None, ..) | (_, true, _) => Purpose::Learn,
            _ => Purpose::Nothing,
        };
        if purpose != Purpose::Nothing {
            all.push(annotated(file, &images, purpose)?);
        }
    }
    Ok(Some(all))
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

fn annotated(file: &Path, images: &Path, purpose: Purpose) -> Result<Annotated, DataError> {
    let bytes = read(file)?;
    let text = String::from_utf8_lossy(&bytes);
    let broken = |why: String| DataError::Broken(file.to_owned(), why);
    let text = without(&without_comments(&text), "part");
    let root =
        first(&text, "annotation").ok_or_else(|| broken("it has no `annotation`".to_owned()))?;
    let number = |of: &str, tag: &str| -> Result<f32, DataError> {
        let value = first(of, tag).ok_or_else(|| broken(format!("a `{tag}` is missing")))?;
        value
            .trim()
            .parse()
            .map_err(|_| broken(format!("`{tag}` is `{}`, which is no number", value.trim())))
    };
    let size = match first(root, "size") {
        Some(size) => Some((
            number(size, "width")? as usize,
            number(size, "height")? as usize,
        )),
        None => None,
    };
    let mut boxes = Vec::new();
    for object in every(root, "object") {
        let class =
            first(object, "name").ok_or_else(|| broken("an `object` has no `name`".to_owned()))?;
        let bbox = first(object, "bndbox")
            .ok_or_else(|| broken("an `object` has no `bndbox`".to_owned()))?;
        boxes.push(Written {
            class: plain(class.trim()),
            bbox: BBox {
                left: number(bbox, "xmin")?,
                top: number(bbox, "ymin")?,
                right: number(bbox, "xmax")?,
                bottom: number(bbox, "ymax")?,
            },
        });
    }
    // What the file is called says more than what is written in it, which is often of another place.
    let here =
        ["jpg", "jpeg", "png", "JPG"].map(|end| images.join(format!("{}.{end}", stem(file))));
    let written = first(root, "filename").map(|name| images.join(plain(name.trim())));
    let picture = here.into_iter().chain(written).find(|path| path.is_file());
    let picture = picture
        .ok_or_else(|| broken(format!("there is no picture of it in {}", images.display())))?;
    Ok(Annotated {
        picture,
        file: file.to_owned(),
        size: size.filter(|size| *size != (0, 0)),
        boxes,
        purpose,
    })
}

/// Text without comments.
fn without_comments(text: &str) -> String {
    let mut parts = text.split("<!--");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += part.split_once("-->").map_or("", |(_, rest)| rest);
    }
    out
}

/// Text without those elements.
fn without(text: &str, tag: &str) -> String {
    let mut out = text.to_owned();
    while let Some((start, _, end)) = find(&out, tag) {
        out.replace_range(start..end, "");
    }
    out
}

/// Where an element begins, where its content is, and where it ends.
fn find(text: &str, tag: &str) -> Option<(usize, std::ops::Range<usize>, usize)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find(&format!("<{tag}"))?;
        let behind = &text[start + 1 + tag.len()..];
        let open = start + 1 + tag.len() + behind.find('>')? + 1;
        if !behind.starts_with(|c: char| c == '>' || c.is_whitespace()) {
            from = open;
            continue;
        }
        let close = format!("</{tag}>");
        let content = open..open + text[open..].find(&close)?;
        let end = content.end + close.len();
        return Some((start, content, end));
    }
}

/// What is in the first element of that name.
fn first<'t>(text: &'t str, tag: &str) -> Option<&'t str> {
    find(text, tag).map(|(_, content, _)| &text[content])
}

/// What is in each element of that name.
fn every<'t>(text: &'t str, tag: &str) -> Vec<&'t str> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some((_, content, end)) = find(rest, tag) {
        all.push(&rest[content]);
        rest = &rest[end..];
    }
    all
}

/// Text without the entities that XML has.
fn plain(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found() {
        let text = "<a><!-- <b>1</b> --><bb>2</bb><b x=\"y\">3 &lt;&amp;</b><part><b>4</b></part><b>5</b></a>";
        let text = without(&without_comments(text), "part");
        assert_eq!(every(&text, "b"), ["3 &lt;&amp;", "5"]);
        assert_eq!(first(&text, "bb"), Some("2"));
        assert_eq!(first(&text, "c"), None);
        assert_eq!(first("<b>1", "b"), None);
        assert_eq!(plain("3 &lt;&amp;"), "3 <&");
    }
}
