//! Prints what it computes, of a spec in a file and of one written here.
#![deny(missing_docs, warnings)]
#![forbid(unsafe_code)]

mod inner {
    // Not at the root, and with nothing of this crate in scope.
    networks::cnn_model!(pub(super) Net = "net.cnn");
}

networks::cnn_model! {
    /// Written here.
    Here {
        input image: 1x6x6
        c: conv 3x3 4 relu
        globalavgpool
        out: dense 3
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let image = [0.5; Here::INPUT_LEN];
    let net = inner::Net::synthetic()?;
    println!("{} {:?}", inner::Net::PARAMETERS, net.session().run(&image)?.raw());
    let here = Here::synthetic()?;
    println!("{} {:?}", Here::PARAMETERS, here.session().run(&image)?.raw());
    Ok(())
}
