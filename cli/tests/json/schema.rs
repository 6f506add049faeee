//! As much of JSON Schema (draft 2020-12) as docs/schema uses. An unknown keyword is a mistake in a schema, so that none is passed over.

use cnnc_testing::file;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;

/// All schemas of docs/schema, by the names of their files.
pub struct Schemas(BTreeMap<String, Value>);

/// A schema, and the file that its references are of.
type At<'s> = (&'s str, &'s Value);

impl Schemas {
    pub fn read() -> Schemas {
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(file("docs/schema")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let schema: Value =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            all.insert(name, schema);
        }
        Schemas(all)
    }

    /// Names of files, without their ending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(|name| name.strip_suffix(".json").expect("a schema is JSON"))
    }

    /// Why a value is not what the schema of that name says.
    pub fn check(&self, name: &str, value: &Value) -> Result<(), String> {
        let file = format!("{name}.json");
        let (file, schema) = self.0.get_key_value(&file).ok_or("there is no schema")?;
        self.fits((file, schema), value, "")
    }

    /// Where a reference leads.
    fn find<'s>(&'s self, from: &'s str, reference: &str) -> At<'s> {
        let (file, pointer) = reference.split_once('#').expect("a reference has a `#`");
        let file = if file.is_empty() { from } else { file };
        let (file, schema) = self.0.get_key_value(file).expect(reference);
        (file, schema.pointer(pointer).expect(reference))
    }

    fn fits(&self, (file, schema): At<'_>, value: &Value, at: &str) -> Result<(), String> {
        let keywords = schema.as_object().expect("a schema is an object");
        for (keyword, of) in keywords {
            match keyword.as_str() {
                "$schema" => assert_eq!(of, "https://json-schema.org/draft/2020-12/schema"),
                "title" | "description" => assert!(of.is_string(), "{file}: {of}"),
                "$defs" => {}
                "$ref" => self.fits(self.find(file, of.as_str().unwrap()), value, at)?,
                "anyOf" => {
                    let mut why = Vec::new();
                    for schema in of.as_array().unwrap() {
                        why.extend(self.fits((file, schema), value, at).err());
                    }
                    if why.len() == of.as_array().unwrap().len() {
                        return Err(format!("{at}: none of these fits:\n  {}", why.join("\n  ")));
                    }
                }
                "type" => {
                    let types = of
                        .as_array()
                        .map_or(std::slice::from_ref(of), Vec::as_slice);
                    if !types.iter().any(|kind| is(value, kind.as_str().unwrap())) {
                        return Err(format!("{at}: {value} is no {of}"));
                    }
                }
                "enum" => {
                    if !of.as_array().unwrap().contains(value) {
                        return Err(format!("{at}: {value} is none of {of}"));
                    }
                }
                "minimum" => {
                    let least = of.as_f64().unwrap();
                    if value.as_f64().is_some_and(|value| value < least) {
                        return Err(format!("{at}: {value} is less than {of}"));
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.fits((file, of), item, &format!("{at}[{index}]"))?;
                    }
                }
                "properties" => {
                    for (key, schema) in of.as_object().unwrap() {
                        if let Some(value) = value.get(key) {
                            self.fits((file, schema), value, &format!("{at}.{key}"))?;
                        }
                    }
                }
                "required" => {
                    for key in of.as_array().unwrap() {
                        let key = key.as_str().unwrap();
                        if value.is_object() && value.get(key).is_none() {
                            return Err(format!("{at}: there is no `{key}`"));
                        }
                    }
                }
                "additionalProperties" => {
                    let known = schema.get("properties");
                    let known = |key: &str| known.is_some_and(|known| known.get(key).is_some());
                    for (key, value) in value.as_object().into_iter().flatten() {
                        if known(key) {
                            continue;
                        }
                        if *of == Value::Bool(false) {
                            return Err(format!("{at}: `{key}` is not in the schema"));
                        }
                        self.fits((file, of), value, &format!("{at}.{key}"))?;
                    }
                }
                other => panic!("{file}: the keyword `{other}` is not known here"),
            }
        }
        Ok(())
    }

    /// Whether the schema of that name has a path, as the tables of docs/json.md write them.
    pub fn has(&self, name: &str, path: &str) -> bool {
        let file = format!("{name}.json");
        let (file, schema) = self.0.get_key_value(&file).expect("there is a schema");
        let path = path.replace("[]", ".[]");
        let mut at = vec![(file.as_str(), schema)];
        for step in path.split('.').filter(|step| !step.is_empty()) {
            let all = at.into_iter().flat_map(|at| self.spread(at));
            let next = all.filter_map(|(file, schema)| {
                let inside = match step {
                    "[]" => schema.get("items"),
                    "*" => Some(schema),
                    key => schema.get("properties").and_then(|of| of.get(key)),
                };
                Some((file, inside?))
            });
            at = next.collect();
        }
        !at.is_empty()
    }

    /// A schema, those that it refers to, and those of which one has to fit.
    fn spread<'s>(&'s self, (file, schema): At<'s>) -> Vec<At<'s>> {
        let mut all = vec![(file, schema)];
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            all.extend(self.spread(self.find(file, reference)));
        }
        let any = schema.get("anyOf").and_then(Value::as_array);
        for one in any.into_iter().flatten() {
            all.extend(self.spread((file, one)));
        }
        all
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("`{other}` is no type"),
    }
}

#[test]
fn what_does_not_fit_is_told() {
    let schemas = Schemas::read();
    let crops = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        schemas.check("crops", &value)
    };
    let right = r#"{ "size": 48, "seed": 1, "classes": [{ "class": "a", "train": 2, "val": 0 }] }"#;
    assert_eq!(crops(right), Ok(()));
    for (from, to, why) in [
        ("48", "48.5", ".size: 48.5 is no \"integer\""),
        ("48", "-1", ".size: -1 is less than 0"),
        ("\"seed\": 1, ", "", "there is no `seed`"),
        ("\"seed\"", "\"sead\"", "`sead` is not in the schema"),
        (
            "\"seed\": 1",
            "\"seed\": 1, \"more\": 1",
            "`more` is not in the schema",
        ),
        ("\"a\"", "null", ".classes[0].class: null is no \"string\""),
    ] {
        let found = crops(&right.replacen(from, to, 1)).unwrap_err();
        assert!(found.contains(why), "{found}");
    }
    let wrong = serde_json::json!({ "results": [] });
    let found = schemas.check("run", &wrong).unwrap_err();
    assert!(found.contains("none of these fits"), "{found}");
    let unknown =
        serde_json::json!([{ "spec": "a", "sound": true, "diagnostics": [{ "severity": "odd" }] }]);
    assert!(schemas.check("check", &unknown).is_err());
    assert!(schemas.check("nothing", &unknown).is_err());
}
