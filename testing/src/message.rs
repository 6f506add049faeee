//! Protocol buffers byte by byte, of which ONNX files are made.

fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 128 {
        bytes.push(n as u8 | 128);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// A field of a message that is a number.
pub fn number(tag: u8, n: u64) -> Vec<u8> {
    [vec![tag << 3], varint(n)].concat()
}

/// A field of a message that is a text, or a message.
pub fn part(tag: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [&[(tag << 3) | 2][..], &varint(bytes.len() as u64), bytes].concat()
}
