//! Little-endian elements of a file, read as f32.

use half::f16;
use half::slice::HalfFloatSliceExt;
use safetensors::Dtype;

/// Whether [`read`] knows the type.
pub(crate) fn readable(dtype: Dtype) -> bool {
    use Dtype::*;
    matches!(
        dtype,
        F16 | BF16 | F32 | F64 | BOOL | U8 | I8 | U16 | I16 | U32 | I32 | U64 | I64
    )
}

/// Bytes of one element of a readable type.
pub(crate) fn width(dtype: Dtype) -> usize {
    dtype.bitsize() / 8
}

/// Reads elements from the first byte on into `out`.
///
/// Panics if the type is not [`readable`], or the bytes end before `out` is full: callers check both.
pub(crate) fn read(dtype: Dtype, bytes: &[u8], out: &mut [f32]) {
    let bytes = &bytes[..out.len() * width(dtype)];
    match dtype {
        Dtype::F32 => each(bytes, out, f32::from_le_bytes),
        Dtype::F64 => each(bytes, out, |b| f64::from_le_bytes(b) as f32),
        Dtype::BF16 => each(bytes, out, |b| {
            f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)
        }),
        Dtype::F16 => read_f16(bytes, out),
        Dtype::BOOL => each(bytes, out, |[b]| f32::from(u8::from(b != 0))),
        Dtype::U8 => each(bytes, out, |[b]| f32::from(b)),
        Dtype::I8 => each(bytes, out, |b| f32::from(i8::from_le_bytes(b))),
        Dtype::U16 => each(bytes, out, |b| f32::from(u16::from_le_bytes(b))),
        Dtype::I16 => each(bytes, out, |b| f32::from(i16::from_le_bytes(b))),
        Dtype::U32 => each(bytes, out, |b| u32::from_le_bytes(b) as f32),
        Dtype::I32 => each(bytes, out, |b| i32::from_le_bytes(b) as f32),
        Dtype::U64 => each(bytes, out, |b| u64::from_le_bytes(b) as f32),
        Dtype::I64 => each(bytes, out, |b| i64::from_le_bytes(b) as f32),
        other => unreachable!("{other} is not readable"),
    }
}

fn each<const N: usize>(bytes: &[u8], out: &mut [f32], convert: impl Fn([u8; N]) -> f32) {
    let (elements, _) = bytes.as_chunks::<N>();
    for (slot, &element) in out.iter_mut().zip(elements) {
        *slot = convert(element);
    }
}

/// Through a small aligned block, since a file's bytes may lie at any address; `half` then uses
/// the machine's own conversion.
fn read_f16(bytes: &[u8], out: &mut [f32]) {
    const BLOCK: usize = 512;
    let mut block = [f16::ZERO; BLOCK];
    let (elements, _) = bytes.as_chunks::<2>();
    for (out, elements) in out.chunks_mut(BLOCK).zip(elements.chunks(BLOCK)) {
        let block = &mut block[..out.len()];
        for (half, &element) in block.iter_mut().zip(elements) {
            *half = f16::from_le_bytes(element);
        }
        block.convert_to_f32_slice(out);
    }
}

/// The elements themselves, where the bytes already are this machine's f32.
pub(crate) fn borrow(dtype: Dtype, bytes: &[u8]) -> Option<&[f32]> {
    if dtype != Dtype::F32 || cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: every bit pattern is an f32.
    let (before, floats, after) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && after.is_empty()).then_some(floats)
}

/// The memory of numbers, to be filled with elements that already are this machine's f32.
pub(crate) fn as_bytes(dtype: Dtype, out: &mut [f32]) -> Option<&mut [u8]> {
    if dtype != Dtype::F32 || cfg!(target_endian = "big") {
        return None;
    }
    // SAFETY: the bytes are those of `out`, whatever is written to them is an f32, and a byte has no alignment.
    Some(unsafe { std::slice::from_raw_parts_mut(out.as_mut_ptr().cast(), size_of_val(out)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn f32s(dtype: Dtype, bytes: &[u8]) -> Vec<f32> {
        // One byte in front: the elements are read wherever they lie.
        let shifted: Vec<u8> = std::iter::once(0).chain(bytes.iter().copied()).collect();
        let mut values = vec![0.0; bytes.len() / width(dtype)];
        read(dtype, &shifted[1..], &mut values);
        values
    }

    #[test]
    fn every_readable_type() {
        assert_eq!(
            f32s(Dtype::F32, &[0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]),
            [1.5, -2.0]
        );
        assert_eq!(f32s(Dtype::F64, &2.5f64.to_le_bytes()), [2.5]);
        assert_eq!(f32s(Dtype::BF16, &[0xc0, 0x3f]), [1.5]);
        assert_eq!(f32s(Dtype::BOOL, &[0, 1]), [0.0, 1.0]);
        assert_eq!(f32s(Dtype::U8, &[200]), [200.0]);
        assert_eq!(f32s(Dtype::I8, &[200]), [-56.0]);
        assert_eq!(f32s(Dtype::U16, &[1, 2]), [513.0]);
        assert_eq!(f32s(Dtype::I16, &[0xfe, 0xff]), [-2.0]);
        assert_eq!(f32s(Dtype::U32, &[1, 0, 0, 0]), [1.0]);
        assert_eq!(f32s(Dtype::I32, &[0xff; 4]), [-1.0]);
        assert_eq!(f32s(Dtype::U64, &7u64.to_le_bytes()), [7.0]);
        assert_eq!(f32s(Dtype::I64, &(-7i64).to_le_bytes()), [-7.0]);
        assert!(!readable(Dtype::C64) && !readable(Dtype::F8_E4M3));
        let mut values = [0.0; 2];
        let bytes = as_bytes(Dtype::F32, &mut values).unwrap();
        bytes.copy_from_slice(&[0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0]);
        assert_eq!(values, [1.5, -2.0]);
    }

    #[test]
    fn every_f16_reads_as_half_says() {
        let bytes: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
        let values = f32s(Dtype::F16, &bytes);
        for (bits, value) in (0..=u16::MAX).zip(values) {
            let expected = f16::from_bits(bits).to_f32();
            assert!(
                value == expected || value.is_nan() && expected.is_nan(),
                "{bits:#06x}"
            );
        }
    }
}
