//! Packs the networks of specs/, with what they read, into one file for the feature `zoo`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "zoo")]
    zoo::pack();
}

#[cfg(feature = "zoo")]
mod zoo {
    use flate2::{Compression, write::DeflateEncoder};
    use std::io::Write;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    /// Every file as a line with its name and length, and its text; deflated as one, since specs are much alike.
    pub fn pack() {
        println!("cargo:rerun-if-changed=specs");
        let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
        let specs = root.join("specs");
        let mut files = Vec::new();
        list(&specs, &mut files);
        files.sort();
        let mut all = Vec::new();
        for file in files {
            let name = file.strip_prefix(&specs).expect("it is in specs");
            let name = name.to_str().expect("an ASCII name").replace('\\', "/");
            let text = fs::read(&file).expect("a spec that can be read");
            all.extend(format!("{name} {}\n", text.len()).bytes());
            all.extend(text);
        }
        let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
        let file = fs::File::create(out.join("zoo.deflate")).expect("a file that can be written");
        let mut packed = DeflateEncoder::new(file, Compression::best());
        packed.write_all(&all).expect("written");
        packed.finish().expect("written");
    }

    fn list(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("the folder of specs") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => list(&path, files),
                false => files.push(path),
            }
        }
    }
}
