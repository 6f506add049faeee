use crate::cases;

#[test]
fn letterboxes_are_darknets() {
    let Some(cases) = cases() else { return };
    let raw = cases.raw(
        "pictures/letterbox.cnn",
        "synthetic",
        &["pictures/letterbox_353x500.png"],
        &[],
    );
    // 353 · 416 / 500 = 293.7 columns, the rest in equal parts left and right, in a grey of 127.5 (of 255).
    let grey = |x: &f32| (x - 127.5).abs() < 1e-3;
    let row = &raw[0][416 * 200..][..416];
    let (left, right) = (
        row.iter().take_while(|x| grey(x)).count(),
        row.iter().rev().take_while(|x| grey(x)).count(),
    );
    assert_eq!((left, right, 416 - left - right), (61, 62, 293));
}

#[test]
fn alpha_that_is_all_0_says_nothing() {
    let Some(cases) = cases() else { return };
    let picture = cnnc::rt::image::Picture::open(cases.file("pictures/alpha0.bmp")).unwrap();
    assert!(
        picture.rgb().iter().any(|&value| value != 255),
        "not all is white"
    );
}

#[test]
fn pictures_take_no_more_than_they_can_hold() {
    let Some(cases) = cases() else { return };
    let run = |picture: &'static str| {
        [
            "run",
            "pictures/bomb.cnn",
            "--weights",
            "synthetic",
            picture,
        ]
    };
    let said = cases.fails(&run("pictures/rle.bmp"));
    assert!(said.contains("truncated"), "{said}");
    // Without a picture the program reserves some memory as well.
    let mut reserved = 64 << 20;
    while !cases
        .within(
            reserved,
            &[
                "run",
                "pictures/bomb.cnn",
                "--weights",
                "synthetic",
                "--input",
                "synthetic",
            ],
        )
        .status
        .success()
    {
        reserved += 8 << 20;
        assert!(reserved < 2 << 30);
    }
    let output = cases.within(reserved + (12 << 20), &run("pictures/iccp.png"));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
