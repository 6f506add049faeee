//! A layer as a spec would write it.

use super::{Layer, find};
use crate::args::ParamDecl;

/// The layer with its parameters, without those that have their declared default, and with what passes have put behind it:
/// `conv 3x3 64 /2 pad half bias off bn relu`.
pub fn written(layer: &dyn Layer) -> String {
    let (keyword, attributes) = layer.attributes();
    let mut text = keyword.to_owned();
    for (name, value) in attributes {
        let Some(declared) = declaration(keyword, name) else {
            text += &format!(" {}", fused(name, &value));
            continue;
        };
        let value = match declared.default {
            Some(_) => short(&value),
            None => value,
        };
        if declared.default == Some(&value) {
            continue;
        }
        text.push(' ');
        if !declared.positional {
            text += name;
            text.push(' ');
        }
        text += &value;
    }
    text
}

/// What an epilogue does, as the layer that did it was written.
fn fused(name: &str, value: &str) -> String {
    match (name, value) {
        ("act", value) => value.to_owned(),
        (name, "on") => name.to_owned(),
        ("bn", value) => {
            let default = declaration("bn", "eps").and_then(|eps| eps.default);
            match value.strip_prefix("eps ") == default {
                true => name.to_owned(),
                false => format!("{name} {value}"),
            }
        }
        _ => format!("{name} {value}"),
    }
}

/// The declaration of a layer's parameter.
pub fn declaration(keyword: &str, name: &str) -> Option<&'static ParamDecl> {
    let params = find(keyword)?.params;
    params.iter().find(|param| param.name == name)
}

/// What stands for the same along every axis, once: `/2` for `/2x2`, `1` for `(1, 1, 1, 1)`.
pub fn short(value: &str) -> String {
    let stride = value.strip_prefix('/');
    let list = value
        .strip_prefix('(')
        .and_then(|value| value.strip_suffix(')'));
    let (prefix, parts): (&str, Vec<&str>) = match (stride, list) {
        (Some(extents), _) => ("/", extents.split('x').collect()),
        (_, Some(list)) => ("", list.split(", ").collect()),
        _ => ("", value.split('x').collect()),
    };
    match parts[..] {
        [first, ref rest @ ..]
            if !rest.is_empty() && !first.is_empty() && rest.iter().all(|part| *part == first) =>
        {
            format!("{prefix}{first}")
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::optimize;

    #[test]
    fn equal_axes_are_written_once() {
        let values = [
            "/2x2",
            "/2x1",
            "1x1x1",
            "(2, 2, 2, 2)",
            "(0, 1, 0, 1)",
            "half",
            "x",
            "3",
        ];
        let expected = ["/2", "/2x1", "1", "2", "(0, 1, 0, 1)", "half", "x", "3"];
        assert_eq!(values.map(short), expected);
    }

    #[test]
    fn fused_layers_are_written_as_the_layers_were() {
        for chain in [
            "conv 3x3 64 /2 pad half bias off bn relu",
            "conv 3x3 64 leaky 0.1",
            "conv 3x3 64 bn eps 0.001 relu6",
            "conv 1x1 8 clip -1 1",
            "conv 1x1 8 gelu approximate",
            "conv 1x1 8 silu",
            "conv 1x1 8 scale 0.5 shift 1",
            "conv 1x1 8 elu 2",
            "conv 1x1 8 hardswish",
            "conv 1x1 8 add relu",
        ] {
            let spec = match chain.strip_suffix(" add relu") {
                Some(conv) => format!("residual {{ {conv} }} relu"),
                None => chain.to_owned(),
            };
            let text = format!("cnn 1; model M {{ input x: 8x9x9 ; {spec} }}");
            let mut files = crate::Files::default();
            let model = crate::compile_source(&mut files, "net.cnn", &text);
            let (graph, _) = optimize(&model.unwrap_or_else(|problems| panic!("{problems}")).graph);
            let layers: Vec<String> = graph
                .live()
                .map(|(_, node)| written(&*node.layer))
                .collect();
            assert_eq!(layers, [chain]);
        }
    }
}
