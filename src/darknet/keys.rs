//! The sections and keys of darknet's configurations: what is read, what only training reads, what is refused. Lists of keys
//! are words with blanks between them.

/// Keys of `[net]` that are read.
pub(super) const NET: &str = "width height channels letter_box";

/// Keys of `[net]` that say how to train.
pub(super) const NET_TRAINING: &str = "batch subdivisions sequential_subdivisions dynamic_minibatch learning_rate learning_rate_min momentum decay adam B1 B2 eps \
     max_batches burn_in policy steps scales scale step seq_scales power gamma num_steps sgdr_cycle sgdr_mult cycle angle aspect \
     saturation exposure hue flip noadjust max_crop min_crop max_ratio min_ratio center clip mosaic mosaic_bound mixup cutmix blur \
     gaussian_noise label_smooth_eps random resize_step jitter time_steps track augment_speed optimized_memory workspace_size_limit_MB \
     loss_scale try_fix_nan ema_alpha adversarial_lr max_chart_loss attention contrastive contrastive_jit_flip contrastive_color \
     unsupervised init_delay weights_reject_freq equidistant_point badlabels_rejection_percentage num_sigmas_reject_badlabels \
     badlabels_reject_threshold decay_scale show_receptive_field multi_scale inputs";

/// Keys of any section that say how to train, or how darknet does its work.
pub(super) const TRAINING: &str = "learning_rate stopbackward onlyforward dontsave train_only_bn burnin_update clip delta_clip assisted_excitation grad_centr stream \
     wait_stream group_id_stream random jitter resize ignore_thresh truth_thresh iou_thresh iou_loss iou_thresh_kind iou_normalizer \
     obj_normalizer cls_normalizer delta_normalizer max_delta label_smooth_eps focal_loss counters_per_class max map_only show_details \
     objectness_smooth beta_nms nms_kind embedding_layer track_history_size sim_thresh dets_for_track dets_for_show track_ciou_norm \
     use_random coord_scale object_scale noobject_scale class_scale mask_scale thresh bias_match rescore forced sqrt_off classfix type \
     ratio noloss flip angle saturation exposure shift dropblock dropblock_size_rel dropblock_size_abs truth temporal seq_len";

/// Keys that change what a layer computes and that nobody imports, unless they are zero.
pub(super) const REFUSED: &str = "antialiasing share_index binary xnor bin_output use_bin_output sway rotate stretch stretch_sway deform coordconv flipped dot \
     maxpool_depth weights_type weights_normalization scale_wh reverse extra flatten tree dontload dontloadscales numload background \
     absolute map cbn";

/// Sections: what they are called here, all that they are called in a `.cfg`, and the keys that are read (or refused) in them.
pub(super) const SECTIONS: &[(&str, &[&str], &str)] = &[
    (
        "convolutional",
        &["convolutional", "conv"],
        "filters size stride stride_x stride_y pad padding groups dilation batch_normalize activation antialiasing share_index binary xnor \
         bin_output use_bin_output sway rotate stretch stretch_sway deform coordconv flipped dot reverse dontload dontloadscales numload \
         cbn",
    ),
    (
        "local",
        &["local"],
        "filters size stride pad activation dontload",
    ),
    (
        "connected",
        &["connected", "conn"],
        "output activation batch_normalize dontload",
    ),
    (
        "maxpool",
        &["maxpool", "max"],
        "size stride stride_x stride_y padding maxpool_depth out_channels antialiasing",
    ),
    ("avgpool", &["avgpool", "avg"], ""),
    ("route", &["route"], "layers groups group_id"),
    (
        "shortcut",
        &["shortcut"],
        "from activation alpha beta weights_type weights_normalization",
    ),
    (
        "scale_channels",
        &["scale_channels"],
        "from activation scale_wh",
    ),
    ("sam", &["sam"], "from activation"),
    ("upsample", &["upsample"], "stride scale"),
    (
        "reorg",
        &["reorg", "reorg_old"],
        "stride reverse extra flatten",
    ),
    ("crop", &["crop"], "crop_height crop_width noadjust"),
    ("dropout", &["dropout"], "probability"),
    (
        "softmax",
        &["softmax", "soft"],
        "groups temperature spatial tree",
    ),
    ("activation", &["activation"], "activation"),
    ("logistic", &["logistic"], ""),
    ("lrn", &["lrn", "normalization"], "size alpha beta kappa"),
    ("cost", &["cost"], "scale"),
    ("empty", &["empty", "silence"], ""),
    (
        "yolo",
        &["yolo"],
        "mask anchors classes num scale_x_y new_coords map",
    ),
    (
        "region",
        &["region"],
        "anchors classes coords num softmax background absolute tree map",
    ),
    (
        "detection",
        &["detection"],
        "classes coords num side softmax sqrt",
    ),
];

/// Sections that darknet has and nobody imports, with what they are.
pub(super) fn unsupported(name: &str) -> Option<&'static str> {
    Some(match name {
        "Gaussian_yolo" | "gaussian_yolo" => "boxes with uncertainties (Gaussian YOLO)",
        "rnn" | "crnn" | "gru" | "lstm" | "conv_lstm" | "history" => "a recurrent layer",
        "deconvolutional" | "deconv" => "a transposed convolution",
        "batchnorm" => "a batch norm without a convolution",
        "local_avgpool" | "local_avg" => "an average pool of windows",
        "reorg3d" => "the reorganisation of channels that is not YOLOv2's",
        "implicit" => "implicit knowledge (YOLOR)",
        "iseg" | "mask" => "segmentation",
        "l2norm" => "normalisation by length",
        "contrastive" => "a contrastive loss",
        "upsample_bilinear" => "bilinear interpolation",
        _ => return None,
    })
}
