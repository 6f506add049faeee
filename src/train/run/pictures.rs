//! What is drawn of a run: curves behind each epoch, the first batch before the first, and what the best epoch takes for what behind the last.

use super::Run;
use crate::train::batch_sheet::batch_sheet;
use crate::train::chart::{chart, rates};
use crate::train::contact::{contact_sheet, matrix};
use crate::train::data::{Data, Gathered};
use crate::train::draw::Draw;
use crate::train::error::TrainError;
use crate::train::judge::Judgement;
use crate::train::recipe::Recipe;
use crate::train::sheet::Sheet;
use crate::{Model, Weights};
use cnnc_compiler::loss::Measure;

/// Samples that are drawn with what they are taken for.
const DRAWN: usize = 25;

/// The first batch, of samples that can be drawn.
pub(super) fn first_batch(
    recipe: &Recipe,
    model: &Model,
    data: &Data,
    draw: &Draw,
) -> Option<Sheet> {
    let order = draw.order(recipe.seed, 1);
    let first = &order[..order.len().min(recipe.batch * data.train.together())];
    // That samples are broken is told when they are learned.
    batch_sheet(recipe, model, &data.train, first, &labels(model)).ok()
}

fn labels(model: &Model) -> Vec<String> {
    let head = model.graph().answer_head();
    head.labels.iter().map(|label| label.to_string()).collect()
}

impl Run {
    /// Writes a sheet as SVG and as PNG.
    pub(super) fn picture(&self, name: &str, sheet: &Sheet) -> Result<(), TrainError> {
        self.write(format!("{name}.svg"), sheet.to_svg().as_bytes())?;
        sheet.write(&self.folder.join(format!("{name}.png")))
    }

    /// The curves of all epochs so far; as pixels too, which takes longer than an epoch of few samples, once there are no more.
    pub(super) fn draw_curves(&self) -> Result<(), TrainError> {
        let (name, measure) = (&self.model.graph().name, self.measure().name());
        for (file, sheet) in [
            ("loss", chart(name, &self.epochs, measure)),
            ("rate", rates(name, &self.epochs)),
        ] {
            match self.is_done() {
                true => self.picture(file, &sheet)?,
                false => self.write(format!("{file}.svg"), sheet.to_svg().as_bytes())?,
            }
        }
        Ok(())
    }

    /// What the tensors of the best epoch take test samples for, of a network that says one class of each.
    pub(super) fn draw_answers(&self) -> Result<(), TrainError> {
        let (graph, test) = (self.model.graph(), &self.data.test);
        let raw = &graph.values[graph.outputs[0].value].shape;
        let classifies = graph.inputs.len() == 1
            && self.measure() == Measure::Accuracy
            && raw.elements() == raw.channels()
            && test.labels_each() == 1
            && test.gathered() == Gathered::Each
            && (0..test.len()).all(|sample| (test.label(sample) as usize) < raw.channels());
        if !classifies {
            return Ok(());
        }
        let best = self.folder.join("weights.safetensors");
        // Whoever took it away wants no pictures of it.
        if !best.exists() {
            return Ok(());
        }
        let weights = Weights::open(best);
        let weights = weights.map_err(crate::Error::from)?;
        // Features are no pictures.
        let again = match self.stage.front() {
            Some(_) => Some(Data::again(&self.data.from, self.model.graph())?),
            None => None,
        };
        let test = again.as_ref().map_or(&self.data.test, |data| &data.test);
        let judgement = Judgement::of(&self.model, &weights, test, &self.recipe, DRAWN)?;
        let mut labels = labels(&self.model);
        labels.extend((labels.len()..judgement.confusion.len()).map(|class| class.to_string()));
        let name = &self.model.graph().name;
        self.picture("confusion", &matrix(name, &judgement, &labels))?;
        let Some(pre) = &self.model.graph().inputs[0].pre else {
            return Ok(());
        };
        let name = |sample: usize| match test.name(sample) {
            Some(name) => name.to_owned(),
            None => format!("sample {sample}"),
        };
        let sheet = contact_sheet(&judgement, &labels, pre, test, name)?;
        self.picture("predictions", &sheet)
    }
}
