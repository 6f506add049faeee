//! Models in protocol buffers, which have no magic number: told apart by the fields that they begin with.

use super::{EXPORT, Kind};

const ONNX: &str = "an ONNX model";

/// It is a spec and weights in one.
const IMPORTED: &str = "under a name that ends in .onnx it stands in the place of a spec, and `cnnc import NET.onnx -o NET.cnn` writes its spec and weights";

/// What a message of protocol buffers is, from its first fields.
pub(super) fn kind(bytes: &[u8]) -> Option<Kind> {
    let name = model(bytes)?;
    Some(Kind {
        name,
        advice: if name == ONNX { IMPORTED } else { EXPORT },
    })
}

fn model(bytes: &[u8]) -> Option<&'static str> {
    let mut fields = Fields(bytes);
    match fields.next()? {
        // A version comes first.
        (1, Field::Number(version @ 1..=100)) => match fields.next()? {
            (2, Field::Bytes(inside)) if inside.first() != Some(&0x0a) => {
                (version > 1 && printable(inside)).then_some(ONNX)
            }
            // `Model.description.input.name`, or `SavedModel.meta_graphs.meta_info_def`.
            (2, Field::Bytes(inside)) => match Fields(inside).next()? {
                (1, Field::Bytes(first)) => match Fields(first).next()? {
                    (1, Field::Bytes(name)) if printable(name) => Some("a Core ML model"),
                    _ => Some("a TensorFlow SavedModel"),
                },
                _ => None,
            },
            // Its graph, whose nodes and name come first, or its operator sets.
            (7 | 8, Field::Bytes(inside)) => {
                Fields(inside).next()?;
                Some(ONNX)
            }
            _ => None,
        },
        (1, Field::Bytes(first)) => match Fields(first).next() {
            // `GraphDef.node`: name and operator.
            Some((1, Field::Bytes(name))) if printable(name) => {
                let mut node = Fields(first);
                match (node.next(), node.next()) {
                    (_, Some((2, Field::Bytes(operator))))
                        if printable(operator) && operator[0].is_ascii_uppercase() =>
                    {
                        Some("a TensorFlow graph")
                    }
                    _ => None,
                }
            }
            // `NetParameter`: a name, then layers of the new kind or the old one.
            _ if printable(first) => match fields.next()? {
                (2 | 100, Field::Bytes(layer)) => {
                    Fields(layer).next()?;
                    Some("a Caffe model")
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn printable(text: &[u8]) -> bool {
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ')
}

/// The value of a field; a message or a text may be cut short, as the sample is.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The fields of a message, as long as they can be fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<(u64, Field<'a>)> {
        let key = self.number()?;
        let field = match key & 7 {
            0 => Field::Number(self.number()?),
            1 => self.skip(8)?,
            2 => {
                let len = usize::try_from(self.number()?).ok()?;
                let (inside, rest) = self.0.split_at(len.min(self.0.len()));
                self.0 = rest;
                Field::Bytes(inside)
            }
            5 => self.skip(4)?,
            _ => return None,
        };
        (key >> 3 != 0).then_some((key >> 3, field))
    }
}

impl<'a> Fields<'a> {
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn skip(&mut self, count: usize) -> Option<Field<'a>> {
        self.0 = self.0.get(count..)?;
        Some(Field::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn models_are_told_apart() {
        for (bytes, name) in [
            (
                &b"\x08\x08\x12\x07pytorch\x1a\x052.4.0:\xff\x01\x0a"[..],
                Some("an ONNX model"),
            ),
            (
                b"\x08\x0a\x3a\x20\x0a\x10\x0a\x01x\x12\x01y",
                Some("an ONNX model"),
            ),
            (b"\x08\x07\x42\x02\x10\x11", Some("an ONNX model")),
            (
                b"\x08\x01\x12\xff\xff\x03\x0a\xf0\x10\x12\x20\x0a\x10",
                Some("a TensorFlow SavedModel"),
            ),
            (
                b"\x08\x05\x12\x20\x0a\x0e\x0a\x05image\x1a\x05\x22\x03",
                Some("a Core ML model"),
            ),
            (
                b"\x0a\x1c\x0a\x05input\x12\x0bPlaceholder*\x06",
                Some("a TensorFlow graph"),
            ),
            (
                b"\x0a\x05LeNet\xa2\x06\x20\x0a\x04data",
                Some("a Caffe model"),
            ),
            (b"\x0a\x05LeNet\x12\x20\x0a\x04data", Some("a Caffe model")),
            (b"\x08\x01", None),
            (b"\x0a\x01\x02\x03\xfe", None),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
            (&[0xee; 64], None),
            (&[0; 64], None),
        ] {
            assert_eq!(kind(bytes).map(|kind| kind.name), name, "{bytes:?}");
        }
    }
}
