//! `cnnc bench`: what it prints and writes, and what it says of flags and files that are wrong. How long anything takes is no matter here.

use cnnc::rt::image::Picture;
use cnnc_testing::{Place, told};
use serde_json::Value;
use std::fs;

/// Convolutions that Winograd computes, and one that it does not.
const NET: &str = "cnn 1; model Net { input x: 3x24x24; c1: conv 3x3 16 relu; c2: conv 3x3 32 relu; c3: conv 3x3 32 relu; d: conv 3x3 32 groups 32; globalavgpool; fc: dense 5 }";
const OTHER: &str = "cnn 1; model Other { input x: 1x8x8; a: conv 3x3 4 relu; flatten; dense 3 }";

fn place() -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_cnnc"));
    fs::write(place.path("net.cnn"), NET).unwrap();
    fs::write(place.path("other.cnn"), OTHER).unwrap();
    place
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn number(value: &Value, key: &str) -> f64 {
    value[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} of {value}"))
}

#[test]
fn one_network_is_an_object_with_a_median() {
    let place = place();
    let text = place.prints("bench net.cnn --runs 20 --warmup 2 --layers --json");
    let figures = json(&text);
    assert_eq!(figures["runs"], 20);
    assert_eq!(figures["threads"], 1);
    let all = ["min_ms", "median_ms", "p90_ms", "p99_ms"].map(|key| number(&figures, key));
    assert!(all.is_sorted() && all[0] > 0.0, "{all:?}");
    assert_eq!(figures["p50_ms"], figures["median_ms"]);
    assert!(number(&figures, "images_per_s") > 0.0 && number(&figures, "spread") >= 0.0);
    assert!(number(&figures, "peak_gflops") > 0.0);
    assert!(!figures["cpu"].as_str().unwrap().is_empty());
    let layers = figures["layers"].as_array().unwrap();
    let layer = |label: &str| layers.iter().find(|layer| layer["label"] == label).unwrap();
    for layer in layers {
        let winograd = layer["schedule"].as_str().unwrap_or_default();
        assert_eq!(
            layer["winograd"],
            winograd.starts_with("winograd"),
            "{layer}"
        );
    }
    assert!(
        layer("d")["schedule"]
            .as_str()
            .unwrap()
            .starts_with("depthwise")
    );
    // Operand, result, weights and bias, of four bytes each.
    let bytes = 4 * (32 * 20 * 20 + 32 * 18 * 18 + 32 * 32 * 9 + 32);
    assert_eq!(layer("c3")["bytes"], bytes);
}

/// What no Winograd computes is direct with `--exact`, and the sum is of all rows.
#[test]
fn layers_say_how_they_are_computed_and_add_up() {
    let place = place();
    let text = place.prints("bench net.cnn --seconds 0.01 --layers --exact");
    let sum = text.lines().find(|line| line.starts_with("sum ")).unwrap();
    assert!(sum.contains("100.0 %") && sum.contains("of a run"), "{sum}");
    let c2 = text.lines().find(|line| line.starts_with("c2 ")).unwrap();
    assert!(c2.contains(" direct "), "{c2}");
    assert!(!text.contains("winograd"), "{text}");
    for name in ["median", "p90", "p99", "images/s", "GFLOP/s", "± "] {
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn several_networks_and_threads_are_one_table() {
    let place = place();
    let line = "bench net.cnn other.cnn --threads 1,2,1 --seconds 0.01";
    let text = place.prints(line);
    let rows = |name: &str| text.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!((rows("Net "), rows("Other ")), (2, 2), "{text}");
    let figures = json(&place.prints(&format!("{line} --json")));
    let of = |figures: &Value| {
        let name = figures["model"].as_str().unwrap().to_owned();
        (name, figures["threads"].as_u64().unwrap())
    };
    let all: Vec<_> = figures.as_array().unwrap().iter().map(of).collect();
    let expected = [("Net", 1), ("Net", 2), ("Other", 1), ("Other", 2)];
    assert_eq!(
        all,
        expected.map(|(name, threads)| (name.to_owned(), threads))
    );

    let csv = place.prints(&format!("{line} --csv"));
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines[0].starts_with("spec,model,isa,threads,batch,images_per_s,"));
    assert!(lines[4].starts_with("other.cnn,Other,"), "{csv}");
    let columns = |line: &str| line.split(',').count();
    assert!(lines.iter().all(|line| columns(line) == columns(lines[0])));
}

/// Threads that share processors do not add up to more than these can do.
#[test]
fn the_peak_is_of_processors_not_of_threads() {
    let place = place();
    let processors = std::thread::available_parallelism().unwrap().get();
    let threads = 4 * processors;
    let line = format!("bench other.cnn --threads 1,{threads} --seconds 0.01 --json");
    let figures = json(&place.prints(&line));
    let peaks = [0, 1].map(|at| number(&figures[at], "peak_gflops"));
    assert!(peaks[1] < 1.8 * processors as f64 * peaks[0], "{peaks:?}");
}

#[test]
fn every_schedule_is_measured_and_one_is_taken() {
    let place = place();
    let figures = json(&place.prints("bench net.cnn --kernels --runs 3 --json"));
    let kernels = figures["kernels"].as_array().unwrap();
    // c2 and c3 differ in their operands, and the dense layer is a convolution, too.
    assert_eq!(kernels.len(), 5, "{kernels:#?}");
    for kernel in kernels {
        let schedules = kernel["schedules"].as_array().unwrap();
        let taken = schedules
            .iter()
            .filter(|schedule| schedule["taken"] == true);
        assert_eq!(taken.count(), 1, "{kernel}");
        assert_eq!(schedules[0]["taken"], true);
        assert!(
            schedules
                .iter()
                .all(|schedule| number(schedule, "median_ms") > 0.0)
        );
    }
    let names: Vec<&str> = kernels[1]["schedules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|schedule| schedule["schedule"].as_str().unwrap())
        .collect();
    for kind in ["direct", "outermost", "winograd"] {
        assert!(names.iter().any(|name| name.contains(kind)), "{names:?}");
    }
    let text = place.prints("bench net.cnn --kernels --runs 3");
    assert_eq!(text.matches("\n✓ ").count(), 5 + 1, "{text}");
    assert!(text.contains("✓ is what the compiler takes"), "{text}");
    let csv = place.prints("bench net.cnn --kernels --runs 3 --csv");
    assert!(csv.contains(",\"direct, panels of "), "{csv}");
}

/// Files are answered as `run` answers them, beside runs that nothing is read for.
#[test]
fn files_are_measured_with_reading() {
    let place = place();
    fs::write(
        place.path("see.cnn"),
        "cnn 1; model See { input x: 3x8x8 { resize 8x8 }; conv 3x3 4 relu; globalavgpool; flatten; dense 3; head classify }",
    )
    .unwrap();
    fs::create_dir(place.path("in")).unwrap();
    for number in 0..7_u8 {
        let picture = Picture::from_rgb(12, 10, [number, 9, 200].repeat(120)).unwrap();
        picture
            .write_png(place.path(&format!("in/{number}.png")))
            .unwrap();
    }
    let bench = "bench see.cnn --runs 3";
    let figures = json(&place.prints(&format!("{bench} --input in --batch 2 --json")));
    let files = &figures["files"];
    assert_eq!(
        (&files["answered"], &files["broken"]),
        (&7.into(), &0.into())
    );
    let rate = 7.0 / number(files, "seconds");
    assert!(
        (number(files, "per_s") / rate - 1.0).abs() < 1e-6,
        "{files}"
    );
    let share = number(files, "per_s") / number(&figures, "images_per_s");
    assert!(
        (number(files, "share") / share - 1.0).abs() < 1e-6,
        "{files}"
    );
    for share in ["reading_share", "waiting_share"] {
        assert!((0.0..=1.0).contains(&number(files, share)), "{files}");
    }
    assert!(figures["decoders"].is_null() && number(files, "decoders") >= 1.0);
    let text = place.prints(&format!("{bench} --input in/0.png --input in/1.png"));
    assert!(
        text.contains("\nfiles/s   ") && text.contains("(2 answered)"),
        "{text}"
    );
    let text = place.prints(&format!("{bench} --threads 1,2 --input in/[0-3].png"));
    assert!(text.contains("files/s"), "{text}");
    // What cannot be read is named, and the figures are of the others.
    fs::write(place.path("in/3.png"), "no picture").unwrap();
    let output = place.output(&format!("{bench} --input in --json"));
    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains("in/3.png"), "{}", told(&output));
    let files = json(&String::from_utf8(output.stdout).unwrap())["files"].clone();
    assert_eq!(
        (&files["answered"], &files["broken"]),
        (&6.into(), &1.into())
    );
    for (line, why) in [
        ("--input -", "standard input is read once"),
        ("--input none", "none"),
    ] {
        let said = place.fails(&format!("{bench} {line}"));
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn figures_are_kept_and_compared_with() {
    let place = place();
    place.prints("bench net.cnn other.cnn --seconds 0.01 --save base.json");
    let figures = json(&place.prints("bench net.cnn --seconds 0.01 --compare base.json --json"));
    let compared = &figures["compared"];
    let ratio = number(&figures, "median_ms") / number(compared, "base_ms");
    assert!(
        (number(compared, "ratio") - ratio).abs() < 1e-9,
        "{compared}"
    );
    // It may become the base that the next one is compared with.
    let both = "bench net.cnn other.cnn --seconds 0.01 --compare base.json --save base.json";
    let text = place.prints(both);
    assert_eq!(text.matches(" ms, ").count(), 2, "{text}");

    // Another machine, another network of that name, another instruction set: compared, with a word.
    let text = fs::read_to_string(place.path("base.json")).unwrap();
    let mut base = json(&text);
    base["results"][0]["cpu"] = "Zuse Z3".into();
    fs::write(place.path("zuse.json"), base.to_string()).unwrap();
    let said = told(&place.output("bench net.cnn --seconds 0.01 --compare zuse.json"));
    assert!(
        said.contains("of another machine (Zuse Z3, here "),
        "{said}"
    );
    fs::write(
        place.path("net.cnn"),
        NET.replace("c3: conv 3x3 32", "c3: conv 3x3 48")
            .replace("d: conv 3x3 32 groups 32", "d: conv 3x3 48 groups 48"),
    )
    .unwrap();
    let said = told(&place.output("bench net.cnn --seconds 0.01 --compare base.json"));
    assert!(
        said.contains("another network that is called Net"),
        "{said}"
    );
}

/// Of two networks of one name each is compared with itself, and convolutions as they are defined with such.
#[test]
fn networks_of_one_name_are_told_apart() {
    let place = place();
    fs::write(
        place.path("second.cnn"),
        OTHER.replace("model Other", "model Net"),
    )
    .unwrap();
    place.prints("bench net.cnn second.cnn --seconds 0.01 --save base.json");
    let base = json(&fs::read_to_string(place.path("base.json")).unwrap());
    for (spec, index) in [("net.cnn", 0), ("second.cnn", 1)] {
        let output = place.output(&format!(
            "bench {spec} --seconds 0.01 --compare base.json --json"
        ));
        let figures = json(&String::from_utf8_lossy(&output.stdout));
        let own = number(&base["results"][index], "median_ms");
        assert_eq!(number(&figures["compared"], "base_ms"), own, "{spec}");
        assert!(!told(&output).contains("another network"), "{spec}");
    }
    let said = told(&place.output("bench net.cnn --seconds 0.01 --exact --compare base.json"));
    assert!(
        said.contains("with fast arithmetic, here it is exact"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_compared_with_is_said_before_anything_is_measured() {
    let place = place();
    place.prints("bench net.cnn --seconds 0.01 --save base.json");
    fs::write(place.path("none.json"), "{\"a\": 1}").unwrap();
    fs::write(
        place.path("empty.json"),
        "{\"made_by\": \"cnnc bench\", \"version\": 1, \"results\": []}",
    )
    .unwrap();
    fs::write(
        place.path("new.json"),
        "{\"made_by\": \"cnnc bench\", \"version\": 2, \"results\": []}",
    )
    .unwrap();
    let long = "--seconds 3600 --compare";
    for (spec, file, expected) in [
        (
            "other.cnn",
            "base.json",
            "it has no figures of `Other` on 1 thread; it has those of `Net` on 1 thread",
        ),
        (
            "net.cnn --threads 1,2",
            "base.json",
            "it has no figures of `Net` on 2 threads",
        ),
        (
            "net.cnn --batch 3",
            "base.json",
            "it has no figures of `Net` on 1 thread, 3 images at once",
        ),
        (
            "net.cnn",
            "none.json",
            "it is not what `cnnc bench --save` writes",
        ),
        ("net.cnn", "net.cnn", "it is no JSON"),
        ("net.cnn", "empty.json", "its figures are incomplete"),
        ("net.cnn", "new.json", "another version of cnnc"),
        ("net.cnn", "missing.json", "`missing.json` cannot be read"),
    ] {
        let said = place.fails(&format!("bench {spec} {long} {file}"));
        assert!(said.contains(expected), "{spec} {file}: {said}");
    }
}

#[test]
fn flags_that_are_wrong_are_told_how_they_are_right() {
    let place = place();
    fs::write(place.path("w.safetensors"), "").unwrap();
    for (line, expected) in [
        (
            "net.cnn --threads 1,x",
            "`x` is no number from 1 to 1024; several stand with commas between them, as in 1,2",
        ),
        ("net.cnn --threads 0", "`0` is no number from 1 to 1024"),
        ("net.cnn --threads 1,,2", "`` is no number from 1 to 1024"),
        (
            "net.cnn --threads 2000",
            "`2000` is no number from 1 to 1024",
        ),
        (
            "net.cnn --runs 0",
            "a number of runs from 1 to 1048576 is expected",
        ),
        (
            "net.cnn --runs many",
            "a number of runs from 1 to 1048576 is expected",
        ),
        (
            "net.cnn --warmup x",
            "a number of runs from 0 to 1048576 is expected",
        ),
        ("net.cnn --runs 3 --seconds 1", "cannot be used with"),
        ("net.cnn --csv --json", "cannot be used with"),
        ("", "<SPEC>..."),
        (
            "net.cnn other.cnn --report page.html",
            "`--report` is of one network, and there are 2",
        ),
        (
            "net.cnn other.cnn --weights w.safetensors",
            "`--weights` is of one network, and there are 2",
        ),
        (
            "net.cnn --save net.cnn",
            "`net.cnn` would be overwritten, and it is read",
        ),
        (
            "net.cnn --save a.json --trace a.json",
            "`a.json` would be written twice",
        ),
        (
            "net.cnn --seconds 0.01 --trace nowhere/a.json",
            "cannot write nowhere/a.json",
        ),
    ] {
        let output = place.output(&format!("bench {line}"));
        let said = told(&output);
        assert!(!output.status.success(), "{line}");
        assert!(said.contains(expected), "{line}: {said}");
    }
}

#[test]
fn a_timeline_has_every_section_and_every_thread() {
    let place = place();
    place.prints("bench net.cnn --threads 1,2 --seconds 0.01 --trace t.json");
    let trace = json(&fs::read_to_string(place.path("t.json")).unwrap());
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |process: u64| events.iter().filter(move |event| event["pid"] == process);
    let named = |kind: &str| {
        let named = events.iter().filter(|event| event["name"] == kind);
        let names = named.map(|event| event["args"]["name"].as_str().unwrap());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        named("process_name"),
        ["Net on 1 thread", "Net on 2 threads"]
    );
    assert_eq!(named("thread_name"), ["caller", "caller", "worker 1"]);
    for process in [1, 2] {
        for label in ["c1", "c2", "c3", "d", "fc"] {
            let sections =
                of(process).filter(|event| event["name"] == label && event["cat"] == "section");
            assert_eq!(sections.count(), 10, "{label} of {process}");
        }
    }
    assert!(of(1).all(|event| event["cat"] != "share"));
    let end = |event: &Value| number(event, "ts") + number(event, "dur");
    // One process after the other.
    let timed = |process| of(process).filter(|event| event["ph"] == "X");
    let last = timed(1).map(end).fold(0.0, f64::max);
    assert!(timed(2).all(|event| number(event, "ts") >= last - 0.01));
    // Shares are within a section of their name, which is the caller's.
    let sections: Vec<&Value> = of(2).filter(|event| event["cat"] == "section").collect();
    for share in of(2).filter(|event| event["cat"] == "share") {
        let within = sections.iter().any(|section| {
            section["name"] == share["name"]
                && number(section, "ts") <= number(share, "ts") + 0.01
                && end(share) <= end(section) + 0.01
        });
        assert!(within, "{share}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn profilers_are_told_the_names_of_machine_code() {
    let place = place();
    for asked in [true, false] {
        let mut command = place.command("bench net.cnn --seconds 0.01");
        command.env("CNNC_PERF_MAP", if asked { "1" } else { "0" });
        command.stdout(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        let map = format!("/tmp/perf-{}.map", child.id());
        assert!(child.wait().unwrap().success());
        let text = fs::read_to_string(&map);
        assert_eq!(text.is_ok(), asked, "{map}");
        let Ok(text) = text else { continue };
        fs::remove_file(&map).unwrap();
        let mut lines = text.lines().map(|line| {
            let mut words = line.splitn(3, ' ');
            let number = |word: Option<&str>| usize::from_str_radix(word.unwrap(), 16).unwrap();
            (
                number(words.next()),
                number(words.next()),
                words.next().unwrap(),
            )
        });
        assert!(
            lines
                .clone()
                .all(|(address, bytes, _)| address > 0 && bytes > 0),
            "{text}"
        );
        assert!(lines.any(|(_, _, name)| name.ends_with(".c2")), "{text}");
        assert!(text.contains("Net.driver"), "{text}");
    }
}

/// The page is one file that loads nothing, is legible in light and dark, and closes what it opens.
#[test]
fn the_page_stands_by_itself() {
    let place = place();
    place.prints("bench net.cnn --threads 2,1 --runs 3 --report page.html");
    let page = fs::read_to_string(place.path("page.html")).unwrap();
    for absent in ["http", "<script", "src=", "@import", "url(", "NaN", "inf"] {
        assert!(!page.contains(absent), "{absent}");
    }
    for part in [
        "prefers-color-scheme:dark",
        "<h2>Roofline</h2>",
        "<h2>Time of each layer</h2>",
        "<h2>Schedules</h2>",
        "<h2>Memory over time</h2>",
        "1 thread",
        "2 threads",
        "c2",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1) {
        let name: &str = tag
            .split([' ', '>', '/'])
            .find(|word| !word.is_empty())
            .unwrap();
        let inner = tag.split('>').next().unwrap();
        match tag.starts_with('/') {
            true => assert_eq!(open.pop(), Some(name), "<{tag}"),
            false if inner.ends_with('/') || ["!DOCTYPE", "meta", "br"].contains(&name) => {}
            false => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// An end that has become a head is no part of a run, and is timed beside it; a spec's own head never is.
#[test]
fn the_end_of_a_file_is_timed_beside_the_network() {
    let place = place();
    let tail = cnnc_testing::file("tests/onnx/tails/distances.onnx");
    fs::copy(tail, place.path("distances.onnx")).unwrap();
    let text = place.prints("bench distances.onnx --runs 3");
    assert!(
        text.contains("\nhead      ") && text.contains("ms more, for the end of the .onnx"),
        "{text}"
    );
    let table = place.prints("bench distances.onnx other.cnn --runs 3");
    assert!(table.contains("head ms"), "{table}");
    let figures = json(&place.prints("bench distances.onnx --runs 3 --json"));
    assert!(number(&figures, "head_ms") > 0.0, "{figures}");
    place.prints("import distances.onnx -o again.cnn");
    let again = place.prints("bench again.cnn --runs 3 --json");
    assert!(json(&again)["head_ms"].is_null(), "{again}");
}
