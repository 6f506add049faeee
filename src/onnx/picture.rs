//! How a picture becomes the input: what the file does not say.

use super::proto::ModelProto;

/// What is said of pictures and classes beside the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pictures {
    /// Scales: `256` or `227x227`.
    pub resize: Option<String>,
    /// Cuts out the middle.
    pub crop: Option<String>,
    /// Scales to fit, keeping proportions.
    pub letterbox: Option<String>,
    /// `unit`, `imagenet`, `symmetric`, `caffe`.
    pub normalize: Option<String>,
    /// Channels are blue, green, red.
    pub bgr: bool,
    /// Multiplies the 8-bit values.
    pub pixel_scale: Option<f64>,
    /// The file with the names of the classes, as the spec names it.
    pub labels: Option<String>,
}

/// What a spec says of its input and its classes.
#[derive(Default)]
pub(super) struct Said {
    /// Settings of the input.
    pub settings: String,
    /// Names of classes, as a list or a file.
    pub labels: Option<String>,
    /// How many names they are, if they do not lie in a file.
    pub names: Option<usize>,
    /// Whether the result is one of classes.
    pub classes: bool,
    /// What was guessed, for a warning.
    pub guess: Option<String>,
}

/// What an exporter has written of the network under a key.
fn metadata<'m>(model: &'m ModelProto, key: &str) -> Option<&'m str> {
    let mut all = model.metadata_props.iter();
    all.find(|entry| entry.key == key)
        .map(|entry| &*entry.value)
}

/// Height and width that the network was exported for, as ultralytics writes them (`[480, 640]`): what they are where the file leaves them open.
pub(super) fn size(model: &ModelProto) -> Option<[usize; 2]> {
    let text = metadata(model, "imgsz")?.trim();
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let number = |text: &str| {
        let side = text.trim().parse::<usize>().ok();
        side.filter(|side| (1..=1 << 14).contains(side))
    };
    let numbers: Option<Vec<usize>> = inner.unwrap_or(text).split(',').map(number).collect();
    match numbers?[..] {
        [side] => Some([side; 2]),
        [height, width] => Some([height, width]),
        _ => None,
    }
}

/// Whether an exporter says that the network finds boxes.
pub(super) fn finds_boxes(model: &ModelProto) -> bool {
    let tasks = ["detect", "segment", "pose", "obb"];
    metadata(model, "task").is_some_and(|task| tasks.contains(&task))
}

/// What is said of an input of those extents, and of a result of so many numbers, or of boxes.
pub(super) fn said(
    model: &ModelProto,
    given: &Pictures,
    input: &[usize],
    result: Option<usize>,
    boxes: bool,
) -> Said {
    let find = |key: &str| metadata(model, key);
    let ultralytics = find("task").is_some() && find("names").is_some();
    let listed = match given.labels {
        Some(_) => None,
        None => find("names").and_then(names),
    };
    let mut said = Said {
        names: listed.as_ref().map(Vec::len),
        labels: match &given.labels {
            Some(file) => Some(format!("\"{}\"", file.replace(['"', '\n'], ""))),
            None => listed.map(|names| format!("[{}]", names.join(", "))),
        },
        classes: given.labels.is_some() || find("task") == Some("classify"),
        ..Said::default()
    };
    let &[c @ (1 | 3), h, w] = input else {
        return said;
    };
    let written = given.resize.is_some()
        || given.crop.is_some()
        || given.letterbox.is_some()
        || given.normalize.is_some()
        || given.pixel_scale.is_some()
        || given.bgr;
    let size = if h == w {
        h.to_string()
    } else {
        format!("{w}x{h}")
    };
    let mut parts: Vec<String> = Vec::new();
    // What ultralytics does to pictures for detectors.
    let boxed = format!("letterbox {size}  color 114  rounding round  filter bilinear");
    let imagenet = c == 3 && result == Some(1000);
    if written {
        let mut add = |key: &str, value: &Option<String>| {
            parts.extend(value.as_ref().map(|value| format!("{key} {value}")))
        };
        add("resize", &given.resize);
        add("crop", &given.crop);
        add("letterbox", &given.letterbox);
        let sized = given.resize.is_some() || given.crop.is_some() || given.letterbox.is_some();
        if !sized {
            parts.push(format!("resize {w}x{h}"));
        }
        parts.extend(given.bgr.then(|| "bgr".to_owned()));
        parts.extend(given.pixel_scale.map(|scale| format!("scale {scale}")));
        parts.extend(
            given
                .normalize
                .as_ref()
                .map(|normalize| format!("normalize {normalize}")),
        );
    } else if ultralytics {
        parts.push(match find("task") {
            Some("classify") => format!("resize {size}  crop {size}  normalize unit"),
            _ => boxed,
        });
    } else if boxes {
        parts.push(boxed);
        said.guess = Some(format!(
            "the file does not say how pictures become its input; it finds boxes as YOLO's later versions do, so pictures are scaled into {w}x{h} with grey around them, with values from 0 to 1"
        ));
    } else if imagenet {
        let larger = h * 8 / 7;
        let resize = if h == w {
            larger.to_string()
        } else {
            format!("{}x{larger}", w * 8 / 7)
        };
        parts.push(format!("resize {resize}  crop {size}  normalize imagenet"));
        said.guess = Some(format!(
            "the file does not say how pictures become its input; 1,000 classes are taken for ImageNet's: resize {resize}, crop {size}, torchvision's mean and deviation"
        ));
    } else {
        parts.push(format!("resize {w}x{h}"));
        said.guess = Some(format!(
            "the file does not say how pictures become its input; they are stretched to {w}x{h}, with values from 0 to 1"
        ));
    }
    said.settings = parts.join("  ");
    said.classes |= imagenet;
    said
}

/// `{0: 'cat', 1: "dog"}`, as ultralytics writes it, as strings of a spec.
fn names(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let mut all = Vec::new();
    let mut rest = inner.trim_start();
    while !rest.is_empty() {
        let (key, behind) = rest.split_once(':')?;
        if key.trim().parse::<usize>() != Ok(all.len()) {
            return None;
        }
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let end = behind[1..].find(quote)?;
        let name = &behind[1..=end];
        all.push(format!(
            "\"{}\"",
            name.replace(['"', '\\'], "")
                .chars()
                .filter(|c| !c.is_control())
                .collect::<String>()
        ));
        rest = behind[end + 2..]
            .trim_start()
            .trim_start_matches(',')
            .trim_start();
    }
    (!all.is_empty() && all.len() <= 4096).then_some(all)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_classes() {
        assert_eq!(
            super::names("{0: 'cat', 1: \"dog's\"}"),
            Some(vec!["\"cat\"".to_owned(), "\"dog's\"".to_owned()])
        );
        assert_eq!(super::names("{1: 'cat'}"), None);
        assert_eq!(super::names("cat"), None);
    }
}
