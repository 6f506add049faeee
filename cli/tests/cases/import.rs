use crate::cases;

/// Imports a configuration and checks the spec.
fn imports(name: &str) {
    let Some(cases) = cases() else { return };
    let (from, to) = (
        cases.file(&format!("import/{name}.cfg")),
        cases.out("net.cnn"),
    );
    cases.prints(&["import", &from, "-o", &to]);
    assert_eq!(cases.check(&to), []);
    cases.prints(&["run", &to, "--weights", "synthetic", "--input", "synthetic"]);
}

#[test]
fn a_key_that_darknet_ignores() {
    imports("absolute");
}

#[test]
fn a_pool_that_pads_more_than_there_is() {
    imports("spp");
}

#[test]
fn more_anchors_than_are_used() {
    imports("anchors");
}

#[test]
fn a_key_of_another_section() {
    imports("uc_normalizer");
}

#[test]
fn a_comment_in_another_encoding() {
    imports("gbk_comment");
}

#[test]
fn mistakes_are_told_of_the_configuration() {
    let Some(cases) = cases() else { return };
    let said = cases.fails(&["import", "import/stride.cfg"]);
    for part in ["stride.cfg", "8", "stride", "2147483648"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("imported.cnn"), "{said}");
}
