//! Which samples judge, and how many are learned from.

use super::{Folder, counts, is_in, model};
use cnnc::train::{Data, DataKind, Source, Split};

/// Forty pictures of two classes.
fn pictures() -> Folder {
    let folder = Folder::new();
    for number in 0..40 {
        let class = ["a", "b"][number % 2];
        folder.picture(&format!("c/{class}/{number:02}.png"), 2, number as u8);
    }
    folder
}

fn of(folder: &Folder, kind: Option<DataKind>, split: Split) -> Result<Data, String> {
    let source = Source {
        kind,
        path: folder.path("c"),
        split: Some(split),
        ..Source::default()
    };
    let net = model("1x2x2", 2, "");
    Data::of(&source, net.graph()).map_err(|error| folder.shortened(&error.to_string()))
}

#[test]
fn shares_by_hash_belong_to_places() {
    let folder = pictures();
    let names = |data: &Data| -> Vec<Vec<String>> {
        let of = [&data.train, &data.test, &data.apart];
        let names = of.map(|samples| {
            (0..samples.len())
                .map(|at| samples.name(at).unwrap().to_owned())
                .collect()
        });
        names.to_vec()
    };
    let shares = Split::Hash([60, 20, 20]);
    let first = names(&of(&folder, None, shares.clone()).unwrap());
    let sizes: Vec<usize> = first.iter().map(Vec::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 40);
    assert!(
        (18..=30).contains(&sizes[0]) && sizes[1] >= 3 && sizes[2] >= 3,
        "{sizes:?}"
    );
    // Another picture changes the place of none.
    folder.picture("c/a/00b.png", 2, 7);
    let more = names(&of(&folder, None, shares).unwrap());
    for (before, after) in first.iter().zip(&more) {
        assert!(before.iter().all(|name| after.contains(name)));
    }
}

#[test]
fn a_list_names_those_that_judge() {
    let folder = pictures();
    let list = folder.write("test.txt", "# four of them\nc/a/00.png\n");
    let error = of(&folder, None, Split::List(list.clone())).unwrap_err();
    is_in(
        &error,
        "DIR/test.txt: line 2: there is no sample `c/a/00.png`, nor a folder with some",
    );
    folder.write("test.txt", "a/00.png\nb/01.png\n./a/02.png\n\n");
    let data = of(&folder, Some(DataKind::Folder), Split::List(list)).unwrap();
    assert_eq!((data.train.len(), counts(&data.test, 2)), (37, vec![2, 1]));
    // The same by `--test`.
    let net = model("1x2x2", 2, "");
    let data = folder.open("c", Some("test.txt"), &net).unwrap();
    assert_eq!((data.train.len(), data.test.len()), (37, 3));
    folder.write("rows.csv", "1,2,3,4,0\n5,6,7,8,1\n");
    let error = folder.open("rows.csv", Some("test.txt"), &net).unwrap_err();
    is_in(
        &error,
        "DIR/test.txt: the samples of rows of numbers have no paths of their own",
    );
    let error = of(&folder, Some(DataKind::Idx), Split::Hash([1, 1, 0])).unwrap_err();
    is_in(&error, "DIR/c: no data of the kind `idx` are here");
}

#[test]
fn a_limit_keeps_as_many_of_each_class() {
    let folder = pictures();
    let net = model("1x2x2", 2, "");
    let mut data = folder.open("c", None, &net).unwrap();
    let judged = data.test.len();
    data.limit(9);
    assert_eq!(counts(&data.train, 2), [5, 4]);
    assert_eq!(data.test.len(), judged);
    data.limit(1000);
    assert_eq!(data.train.len(), 9);
}
