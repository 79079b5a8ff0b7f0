"""Command-line flags of `generate`, and how they become a spec."""

import argparse

from pipeline.run import Performance
from pipeline.spec import DatasetSpec, SpecError, parse_jitter, parse_splits


def add_spec_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that decide what a data set is."""
    inputs = parser.add_argument_group("inputs and output (folders, globs, gs:// and the like)")
    inputs.add_argument(
        "--foregrounds", required=True, metavar="DIR_OR_GLOB", help="cut-outs with alpha"
    )
    inputs.add_argument(
        "--backgrounds", required=True, metavar="DIR_OR_GLOB", help="photographs to paste on"
    )
    inputs.add_argument(
        "--masks",
        metavar="DIR_OR_GLOB",
        help="grey masks for foregrounds without alpha, white where they are opaque; matched by id,"
        " the last number in the file name",
    )
    inputs.add_argument(
        "--categories",
        metavar="CSV",
        help="what the foregrounds show, for --formats=coco: a table whose first line is"
        " file,category or id,category (default: the name of the folder that each is in)",
    )
    inputs.add_argument("--output", required=True, metavar="DIR", help="folder of the data set")
    inputs.add_argument(
        "--on_error",
        choices=("skip", "fail"),
        default="skip",
        help="leave out unusable inputs and name them in errors/, or stop (default: skip)",
    )
    samples = parser.add_argument_group("samples")
    samples.add_argument(
        "--image_size", type=int, default=160, metavar="N", help="side in pixels (default: 160)"
    )
    samples.add_argument(
        "--foreground_size",
        type=int,
        default=80,
        metavar="N",
        help="side of the square that a pasted foreground fits into (default: 80)",
    )
    samples.add_argument(
        "--placements",
        type=int,
        default=20,
        metavar="N",
        help="places of each foreground, and of its mirror image, on each background (default: 20)",
    )
    samples.add_argument(
        "--flip",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="paste mirror images as well (default: yes)",
    )
    samples.add_argument("--no_flip", dest="flip", action="store_false", help=argparse.SUPPRESS)
    samples.add_argument(
        "--scale_jitter",
        metavar="LOW:HIGH",
        help="vary the foreground's size by a factor, such as 0.5:1.0 (default: none)",
    )
    samples.add_argument(
        "--seed", type=int, default=0, metavar="N", help="another seed, other places (default: 0)"
    )
    samples.add_argument(
        "--split",
        default="train:1",
        metavar="NAME:SHARE,...",
        help="such as train:0.9,test:0.1; dealt out by foreground, so that test objects are never"
        " seen in training (default: all train)",
    )
    samples.add_argument(
        "--max_samples", type=int, metavar="N", help="an even subset, for a trial (default: all)"
    )
    storage = parser.add_argument_group("storage")
    storage.add_argument(
        "--formats",
        default="tfrecord,parquet",
        metavar="LIST",
        help="of tfrecord, parquet, webdataset, coco, zip (default: tfrecord,parquet)",
    )
    storage.add_argument(
        "--num_shards",
        default="auto",
        metavar="N",
        help="number of shards (default: auto, about 4,000 samples each, at most 50,000)",
    )
    storage.add_argument(
        "--image_encoding",
        default="jpeg:90",
        metavar="png|jpeg:Q",
        help="of the composites; masks and depth are always PNG (default: jpeg:90)",
    )
    storage.add_argument(
        "--depth_bits",
        type=int,
        default=10,
        metavar="N",
        help="significant bits of the 16-bit depth maps; fewer are smaller (default: 10)",
    )
    depth = parser.add_argument_group("depth")
    depth.add_argument(
        "--depth_model",
        default="builtin",
        metavar="MODEL",
        help="builtin, none, onnx:PATH, hf:ID_OR_DIR (a transformers depth-estimation model) or"
        " torchscript:PATH (default: builtin)",
    )
    depth.add_argument(
        "--max_failures",
        type=float,
        default=0.001,
        metavar="SHARE",
        help="share of samples that may fail before the job stops (default: 0.001)",
    )


def add_performance_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that decide how a machine is used."""
    group = parser.add_argument_group("performance (never changes composites or masks)")
    group.add_argument(
        "--batch_size",
        type=int,
        default=32,
        metavar="N",
        help="samples in a batch of the depth model; 256 and more suit GPUs (default: 32)",
    )
    group.add_argument(
        "--depth_threads",
        type=int,
        metavar="N",
        help="CPU threads of the depth model in each worker (default: 1)",
    )
    group.add_argument(
        "--depth_device",
        metavar="DEVICE",
        help="torch device of the depth model (default: CUDA where there is one, else cpu)",
    )
    group.add_argument(
        "--half_precision", action="store_true", help="the depth model computes in 16 bits on CUDA"
    )
    group.add_argument(
        "--share_model",
        action="store_true",
        help="all worker processes of a machine use one copy of the depth model",
    )


def spec_of(arguments: argparse.Namespace) -> DatasetSpec:
    """The spec that the flags describe. Raises SpecError for what cannot be understood."""
    shards = arguments.num_shards
    if shards != "auto" and not shards.lstrip("-").isdigit():
        raise SpecError(f"--num_shards={shards} is not understood; give auto or a number")
    return DatasetSpec(
        foregrounds=arguments.foregrounds,
        backgrounds=arguments.backgrounds,
        output=arguments.output,
        masks=arguments.masks,
        categories=arguments.categories,
        image_size=arguments.image_size,
        foreground_size=arguments.foreground_size,
        placements=arguments.placements,
        flip=arguments.flip,
        scale_jitter=parse_jitter(arguments.scale_jitter) if arguments.scale_jitter else None,
        seed=arguments.seed,
        num_shards=None if shards == "auto" else int(shards),
        formats=tuple(name.strip() for name in arguments.formats.split(",") if name.strip()),
        depth_model=arguments.depth_model,
        image_encoding=arguments.image_encoding,
        depth_bits=arguments.depth_bits,
        splits=parse_splits(arguments.split),
        max_samples=arguments.max_samples,
        on_error=arguments.on_error,
        max_failures=arguments.max_failures,
    )


def performance_of(arguments: argparse.Namespace) -> Performance:
    """How the flags want a machine to be used."""
    if arguments.batch_size < 1:
        raise SpecError(f"--batch_size={arguments.batch_size} is impossible; give at least 1")
    return Performance(
        batch_size=arguments.batch_size,
        threads=arguments.depth_threads,
        device=arguments.depth_device,
        half_precision=arguments.half_precision,
        share_model=arguments.share_model,
    )
