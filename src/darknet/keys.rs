//! The sections of darknet's configurations, and the keys that it reads in each; lists of keys are words with blanks between them.
//!
//! The sections and keys are those of both darknets, Redmon's and AlexeyAB's. A key that neither reads in a section means nothing there.

/// What darknet reads in a section.
#[derive(Debug)]
pub(super) struct Keys {
    /// What the section is called here.
    pub keyword: &'static str,
    /// All that it is called in a `.cfg`.
    pub names: &'static [&'static str],
    /// Keys that say what is computed.
    read: &'static str,
    /// Keys that say how to train, or how darknet does its work.
    training: &'static str,
}

/// Keys that darknet reads in every section but `[net]`.
const EVERYWHERE: &str = "clip onlyforward dont_update burnin_update stopbackward train_only_bn dontload dontloadscales numload dontsave \
     learning_rate truth smooth";

/// `[net]`.
pub(super) const NET: Keys = Keys {
    keyword: "net",
    names: &["net", "network"],
    read: "width height channels inputs letter_box",
    training: "batch subdivisions sequential_subdivisions dynamic_minibatch learning_rate learning_rate_min momentum decay adam B1 B2 eps \
        max_batches burn_in policy steps scales scale step seq_scales power gamma sgdr_cycle sgdr_mult angle aspect saturation exposure \
        hue flip max_crop min_crop max_ratio min_ratio center clip mosaic mosaic_bound mixup cutmix blur gaussian_noise label_smooth_eps \
        random resize_step time_steps track augment_speed optimized_memory workspace_size_limit_MB use_cuda_graph loss_scale try_fix_nan \
        ema_alpha adversarial_lr max_chart_loss attention contrastive contrastive_jit_flip contrastive_color unsupervised notruth \
        weights_reject_freq equidistant_point badlabels_rejection_percentage num_sigmas_reject_badlabels show_receptive_field",
};

/// A row for each section that is imported.
pub(super) const SECTIONS: &[Keys] = &[
    Keys {
        keyword: "convolutional",
        names: &["convolutional", "conv"],
        read: "filters size stride stride_x stride_y pad padding groups dilation batch_normalize cbn activation antialiasing \
            share_index binary xnor flipped coordconv",
        // Weights are turned and stretched while darknet trains; what it stores is what it runs.
        training: "bin_output sway rotate stretch stretch_sway angle assisted_excitation grad_centr dot reverse stream wait_stream",
    },
    Keys {
        keyword: "deconvolutional",
        names: &["deconvolutional", "deconv"],
        read: "filters size stride pad padding batch_normalize activation",
        training: "",
    },
    Keys {
        keyword: "local",
        names: &["local"],
        read: "filters size stride pad activation",
        training: "",
    },
    Keys {
        keyword: "connected",
        names: &["connected", "conn"],
        read: "output batch_normalize activation",
        training: "",
    },
    Keys {
        keyword: "batchnorm",
        names: &["batchnorm"],
        read: "",
        training: "",
    },
    Keys {
        keyword: "maxpool",
        names: &["maxpool", "max"],
        read: "size stride stride_x stride_y padding maxpool_depth out_channels antialiasing maxpool_zero_nonmax",
        training: "",
    },
    Keys {
        keyword: "local_avgpool",
        names: &["local_avgpool", "local_avg"],
        read: "size stride stride_x stride_y padding",
        training: "",
    },
    Keys {
        keyword: "avgpool",
        names: &["avgpool", "avg"],
        read: "",
        training: "",
    },
    Keys {
        keyword: "route",
        names: &["route"],
        read: "layers groups group_id",
        training: "stream wait_stream",
    },
    Keys {
        keyword: "shortcut",
        names: &["shortcut"],
        read: "from activation alpha beta weights_type weights_normalization",
        training: "",
    },
    Keys {
        keyword: "scale_channels",
        names: &["scale_channels"],
        read: "from activation scale_wh",
        training: "",
    },
    Keys {
        keyword: "sam",
        names: &["sam"],
        read: "from activation",
        training: "",
    },
    Keys {
        keyword: "upsample",
        names: &["upsample"],
        read: "stride scale",
        training: "",
    },
    Keys {
        keyword: "reorg",
        names: &["reorg"],
        read: "stride reverse flatten extra",
        training: "",
    },
    Keys {
        keyword: "reorg3d",
        names: &["reorg3d"],
        read: "stride reverse",
        training: "",
    },
    Keys {
        keyword: "crop",
        names: &["crop"],
        read: "crop_height crop_width noadjust",
        training: "flip angle saturation exposure shift",
    },
    Keys {
        keyword: "dropout",
        names: &["dropout"],
        read: "probability",
        training: "dropblock dropblock_size_rel dropblock_size_abs",
    },
    Keys {
        keyword: "softmax",
        names: &["softmax", "soft"],
        read: "groups temperature spatial tree",
        training: "noloss",
    },
    Keys {
        keyword: "activation",
        names: &["activation"],
        read: "activation",
        training: "",
    },
    Keys {
        keyword: "logistic",
        names: &["logistic"],
        read: "",
        training: "",
    },
    Keys {
        keyword: "l2norm",
        names: &["l2norm"],
        read: "",
        training: "",
    },
    Keys {
        keyword: "lrn",
        names: &["lrn", "normalization"],
        read: "size alpha beta kappa",
        training: "",
    },
    Keys {
        keyword: "cost",
        names: &["cost"],
        read: "",
        training: "type scale ratio noobj thresh",
    },
    Keys {
        keyword: "contrastive",
        names: &["contrastive"],
        read: "",
        training: "classes yolo_layer temperature cls_normalizer max_delta contrastive_neg_max",
    },
    Keys {
        keyword: "empty",
        names: &["empty", "silence"],
        read: "",
        training: "",
    },
    Keys {
        keyword: "yolo",
        names: &["yolo"],
        read: "mask anchors classes num scale_x_y new_coords",
        training: "max show_details max_delta counters_per_class label_smooth_eps objectness_smooth iou_normalizer obj_normalizer \
            cls_normalizer delta_normalizer iou_loss iou_thresh_kind beta_nms nms_kind jitter resize focal_loss ignore_thresh \
            truth_thresh iou_thresh random track_history_size sim_thresh dets_for_track dets_for_show track_ciou_norm embedding_layer map",
    },
    Keys {
        keyword: "region",
        names: &["region"],
        read: "anchors classes coords num softmax background tree",
        training: "max log sqrt focal_loss jitter resize rescore thresh classfix absolute random coord_scale object_scale \
            noobject_scale mask_scale class_scale bias_match map",
    },
    Keys {
        keyword: "detection",
        names: &["detection"],
        read: "classes coords num side softmax sqrt",
        training: "max rescore forced coord_scale object_scale noobject_scale class_scale jitter resize random reorg",
    },
];

impl Keys {
    /// Whether darknet reads the key in such a section.
    pub fn known(&self, key: &str) -> bool {
        let lists = [self.read, self.training, EVERYWHERE];
        // What `[net]` reads, no other section's keys add to.
        let lists = &lists[..if self.keyword == NET.keyword { 2 } else { 3 }];
        lists
            .iter()
            .flat_map(|list| list.split(' '))
            .any(|known| known == key)
    }

    /// The keys that say what is computed.
    pub fn read(&self) -> Vec<&'static str> {
        self.read.split_whitespace().collect()
    }
}

/// Sections that darknet has and nobody imports, with what they are.
pub(super) fn unsupported(name: &str) -> Option<&'static str> {
    Some(match name {
        "Gaussian_yolo" => "boxes with uncertainties (Gaussian YOLO)",
        "rnn" | "crnn" | "gru" | "lstm" | "conv_lstm" | "history" => "a recurrent layer",
        "implicit" => "implicit knowledge (YOLOR)",
        "iseg" => "segmentation of instances",
        _ => return None,
    })
}
