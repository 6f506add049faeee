//! What specs mean: `tests/language/*.txt` are sections of a spec and the graph that it is.

mod sections;

use cnnc_compiler::graph::{dump, verify};

#[test]
fn specs_mean_the_graphs_that_are_written() {
    sections::compare("language", |case| match case.compile(&case.spec) {
        Ok(model) => {
            assert_eq!(verify(&model.graph), Ok(()), "{}", case.name);
            dump(&model.graph) + &model.warnings.render(false)
        }
        Err(problems) => problems.render(false),
    });
}
