//! Labels that do not fit the head's.

use super::{Folder, all, is_in, model};

/// Where some are the head's and others are not, one is misspelt; where none is, their order counts.
#[test]
fn labels_that_are_nearly_the_heads_are_told() {
    let folder = Folder::new();
    let net = model("1x2x2", 2, "{ labels [\"fern\", \"moss\"] }");
    folder.picture("d/fern/1.png", 2, 0);
    folder.picture("d/mos/1.png", 2, 255);
    is_in(
        &folder.open("d", Some("d"), &net).unwrap_err(),
        "DIR/d/mos: it is called like none of the head's labels `fern`, `moss`, as others beside it are",
    );
    std::fs::rename(folder.path("d/fern"), folder.path("d/z")).unwrap();
    let data = folder.open("d", Some("d"), &net).unwrap();
    assert_eq!(all(&data.train), [(vec![1.0; 4], 0), (vec![0.0; 4], 1)]);
    let numbers = model("2", 2, "{ labels [\"fern\", \"moss\"] }");
    folder.write("a.csv", "1,2,fern\n3,4,mos\n");
    is_in(
        &folder.open("a.csv", Some("a.csv"), &numbers).unwrap_err(),
        "DIR/a.csv: the label `mos` is none of the head's `fern`, `moss`, as others are",
    );
    folder.write("a.csv", "1,2,z\n3,4,mos\n");
    let data = folder.open("a.csv", Some("a.csv"), &numbers).unwrap();
    assert_eq!(all(&data.train), [(vec![1.0, 2.0], 1), (vec![3.0, 4.0], 0)]);
}
