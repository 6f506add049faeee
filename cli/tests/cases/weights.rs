use crate::cases;

#[test]
fn every_protocol_of_pickle() {
    let Some(cases) = cases() else { return };
    let raw = |weights: &str| cases.raw("weights/pth.cnn", weights, &["weights/pth_in.npy"], &[]);
    let expected = raw("weights/legacy_protocol2_ok.pth");
    assert_eq!(raw("weights/legacy_protocol4.pth"), expected);
    assert_eq!(raw("weights/legacy_protocol5.pth"), expected);
}

#[test]
fn a_truncated_file_is_named_so() {
    let Some(cases) = cases() else { return };
    let raw =
        |weights: &str| ["run", "weights/truncated.cnn", "--weights", weights].map(str::to_owned);
    let args = |weights: &str| {
        [
            raw(weights).to_vec(),
            vec!["weights/truncated_in.npy".to_owned()],
        ]
        .concat()
    };
    let run = |weights: &str| args(weights);
    let whole = run("weights/full.weights");
    cases.prints(&whole.iter().map(String::as_str).collect::<Vec<_>>());
    let cut = run("weights/truncated_1_byte.weights");
    let said = cases.fails(&cut.iter().map(String::as_str).collect::<Vec<_>>());
    for part in ["truncated", "579", "580"] {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn extents_of_1_make_no_difference() {
    let Some(cases) = cases() else { return };
    cases.raw(
        "weights/lin.cnn",
        "weights/lin.pth",
        &["--input", "synthetic"],
        &[],
    );
}
