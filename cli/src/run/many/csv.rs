//! Answers as rows of comma-separated values: one for each thing that is found, and an empty one where nothing is.

use cnnc::Answer;
use serde_json::Value;

/// What rows of a kind of answer are made of.
pub struct Columns {
    /// The list in the answer's JSON that has an entry for each row; without one there is one row.
    list: Option<&'static str>,
    /// Headings, and where the values are in an entry.
    columns: &'static [(&'static str, &'static str)],
}

const CLASSES: Columns = Columns {
    list: Some("top"),
    columns: &[
        ("class", "/class"),
        ("label", "/label"),
        ("probability", "/probability"),
    ],
};
const BOXES: Columns = Columns {
    list: Some("boxes"),
    columns: &[
        ("class", "/class"),
        ("label", "/label"),
        ("score", "/score"),
        ("x", "/x"),
        ("y", "/y"),
        ("width", "/width"),
        ("height", "/height"),
    ],
};
const POINTS: Columns = Columns {
    list: Some("points"),
    columns: &[("x", "/0"), ("y", "/1")],
};
const SEGMENTS: Columns = Columns {
    list: Some("segments"),
    columns: &[
        ("class", "/class"),
        ("label", "/label"),
        ("pixels", "/pixels"),
        ("share", "/share"),
    ],
};
const PITCH: Columns = Columns {
    list: None,
    columns: &[("hertz", "/hertz"), ("confidence", "/confidence")],
};
const VECTOR: Columns = Columns {
    list: None,
    columns: &[("embedding", "/embedding")],
};
const OUTPUTS: Columns = Columns {
    list: Some("outputs"),
    columns: &[
        ("output", "/name"),
        ("min", "/min"),
        ("max", "/max"),
        ("mean", "/mean"),
        ("std", "/std"),
    ],
};

impl Columns {
    /// Those of an answer.
    pub fn of(answer: &Answer) -> &'static Columns {
        match answer {
            Answer::Classes(_) => &CLASSES,
            Answer::Boxes(_) => &BOXES,
            Answer::Points(_) => &POINTS,
            Answer::Segments(_) => &SEGMENTS,
            Answer::Pitch(_) => &PITCH,
            Answer::Embedding(_) => &VECTOR,
            Answer::Alike(_) | Answer::Picture(_) | Answer::Numbers => &OUTPUTS,
        }
    }

    /// The row of headings.
    pub fn header(&self) -> String {
        let names = self.columns.iter().map(|(name, _)| *name);
        let names: Vec<&str> = std::iter::once("input").chain(names).collect();
        names.join(",")
    }

    /// The rows of an answer in JSON to the input of that name.
    pub fn rows(&self, input: &str, answer: &Value) -> Vec<String> {
        let one = std::slice::from_ref(answer);
        let entries = match self.list {
            Some(list) => answer[list].as_array().map_or(&[][..], Vec::as_slice),
            None => one,
        };
        let row = |entry: &Value| {
            let cells = self.columns.iter().map(|(_, at)| cell(entry.pointer(at)));
            let cells: Vec<String> = std::iter::once(quoted(input)).chain(cells).collect();
            cells.join(",")
        };
        match entries {
            [] => vec![row(&Value::Null)],
            entries => entries.iter().map(row).collect(),
        }
    }
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => quoted(text),
        // A vector is one value, its numbers parted by spaces.
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            items.join(" ")
        }
        Some(other) => other.to_string(),
    }
}

/// In quotes where it must be (RFC 4180).
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_of_answers() {
        let classes = json!({ "top": [
            { "class": 3, "label": "a, \"b\"", "probability": 0.5 },
            { "class": 1, "label": null, "probability": 0.25 },
        ] });
        assert_eq!(CLASSES.header(), "input,class,label,probability");
        let rows = CLASSES.rows("x.png", &classes);
        assert_eq!(rows, ["x.png,3,\"a, \"\"b\"\"\",0.5", "x.png,1,,0.25"]);
        assert_eq!(
            BOXES.rows("a,b", &json!({ "boxes": [] })),
            ["\"a,b\",,,,,,,"]
        );
        assert_eq!(
            POINTS.rows("p", &json!({ "points": [[1.5, 2.0]] })),
            ["p,1.5,2.0"]
        );
        assert_eq!(
            VECTOR.rows("v", &json!({ "embedding": [1.0, 2.0] })),
            ["v,1.0 2.0"]
        );
        assert_eq!(
            PITCH.rows("s", &json!({ "hertz": null, "confidence": 0.1 })),
            ["s,,0.1"]
        );
    }
}
