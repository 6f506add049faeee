//! A layer as a spec would write it.

use super::{Attribute, Attributes, Layer, find};
use crate::args::ParamDecl;

/// The layer with its parameters, without those that have their declared default, and with what passes have put behind it:
/// `conv 3x3 64 /2 pad half bias off bn relu`.
pub fn written(layer: &dyn Layer) -> String {
    let (keyword, attributes) = layer.attributes();
    statement(keyword, &attributes)
}

/// The same of a keyword and what the layer is told.
pub fn statement(keyword: &str, attributes: &Attributes) -> String {
    let mut text = keyword.to_owned();
    for (name, value) in attributes {
        let Some(declared) = declaration(keyword, name) else {
            text += &format!(" {}", fused(name, value));
            continue;
        };
        let Some(value) = said(declared, value) else {
            continue;
        };
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
fn fused(name: &str, value: &Attribute) -> String {
    match value {
        Attribute::Layer(keyword, attributes) if name == "act" => statement(keyword, attributes),
        Attribute::Settings(settings) => statement(name, settings),
        Attribute::Flag(true) => name.to_owned(),
        _ => format!("{name} {value}"),
    }
}

/// What a layer says of a parameter: nothing where it has its default; at its shortest where there is one.
pub fn said(declared: &ParamDecl, value: &Attribute) -> Option<String> {
    match declared.default {
        Some(default) => Some(value.short().to_string()).filter(|text| text != default),
        None => Some(value.to_string()),
    }
}

/// The declaration of a layer's parameter.
pub fn declaration(keyword: &str, name: &str) -> Option<&'static ParamDecl> {
    let params = find(keyword)?.params;
    params.iter().find(|param| param.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::optimize;

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
