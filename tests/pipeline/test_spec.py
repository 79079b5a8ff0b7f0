import dataclasses

import pytest

from pipeline.cli import parser
from pipeline.option import Factors, Refused
from pipeline.options import spec_of
from pipeline.spec import DatasetSpec, SpecError, parse_splits
from transforms.plan.inputs import SplitShare

SPEC = DatasetSpec(foregrounds="f", backgrounds="b", output="o")


def test_the_default_is_the_reference_job():
    arguments = ["generate", "--foregrounds=f", "--backgrounds=b", "--output=o"]
    assert spec_of(parser().parse_args(arguments)) == SPEC


def test_every_flag_reaches_the_spec():
    arguments = parser().parse_args(
        [
            "generate", "--foregrounds=f", "--backgrounds=b", "--output=o", "--masks=m",
            "--image_size=224", "--foreground_size=100", "--placements=3", "--no_flip",
            "--scale_jitter=0.5:1.0", "--seed=-4", "--num_shards=9", "--formats=zip,parquet",
            "--depth_model=none", "--image_encoding=png", "--depth_bits=10",
            "--split=train:0.9,test:0.1", "--max_samples=77", "--on_error=fail",
            "--max_failures=0.5", "--categories=c",
        ]
    )  # fmt: skip
    assert spec_of(arguments) == DatasetSpec(
        "f", "b", "o", "m", 224, 100, 3, False, (0.5, 1.0), -4, 9, ("zip", "parquet"), "none",
        "png", 10,
        (SplitShare("train", 0.9), SplitShare("test", 0.1)), 77, "fail", 0.5, "c",
    )  # fmt: skip


def test_json_round_trip():
    spec = dataclasses.replace(SPEC, scale_jitter=(0.5, 1.0), splits=parse_splits("a:0.5,b:0.5"))
    assert DatasetSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"image_size": 0}, "--image_size=0 is invalid; give 1 to 16384"),
        ({"image_size": 99999}, "give 1 to 16384"),
        ({"image_size": "0x160"}, "--image_size=0x160 is invalid; give 1 to 16384 for each side"),
        ({"image_size": "-1x5"}, "--image_size=-1x5 is invalid; give 1 to 16384 for each side"),
        ({"image_size": "160x160x3"}, "--image_size=160x160x3 is not understood; give N, or"),
        ({"image_size": (208, 160)}, "is not understood; give N, or WIDTHxHEIGHT such as 208x160"),
        ({"image_size": "10000x10"}, "fit into --image_size=10000x10; make it at most 10"),
        ({"image_size": "79x208"}, "=80 does not fit into --image_size=79x208; make it at most 79"),
        ({"foreground_size": 161}, "--foreground_size=161 does not fit into --image_size=160"),
        ({"scale_jitter": (0.5, 3.0)}, "--foreground_size=80 times 3 does not fit"),
        ({"scale_jitter": (0.0, 1.0)}, "--scale_jitter=0:1 is invalid"),
        ({"placements": 0}, "--placements=0"),
        ({"num_shards": 0}, "--num_shards=0"),
        ({"max_samples": -1}, "--max_samples=-1"),
        (
            {"formats": ("csv",)},
            "--formats=csv is invalid; give each of tfrecord, parquet, .*zip.* at most once",
        ),
        ({"formats": ()}, "is invalid; give names"),
        ({"formats": ("zip", "zip")}, "at most once"),
        ({"image_encoding": "webp"}, "--image_encoding=webp is unknown"),
        ({"image_encoding": "jpeg:101"}, "--image_encoding=jpeg:101"),
        ({"depth_bits": 17}, "--depth_bits=17 is invalid; give 1 to 16"),
        ({"max_failures": 2.0}, "--max_failures=2.0"),
        ({"seed": 2**63}, "--seed="),
        ({"splits": parse_splits("train:0.9,test:0.2")}, "add up to 1.1; they must add up to 1"),
        ({"splits": "a:0.5,a:0.5"}, "give each split once"),
        ({"splits": parse_splits("../x:1")}, "is not a valid split name"),
        ({"splits": parse_splits("foregrounds:1")}, "is taken"),
        ({"splits": "a:1,b:0"}, "a share above 0"),
    ],
)
def test_impossible_values_are_refused_with_what_would_be_right(changes, message):
    with pytest.raises(SpecError, match=message.replace("+", r"\+")) as caught:
        dataclasses.replace(SPEC, **changes).check()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "parse, text",
    [
        (parse_splits, "train"),
        (parse_splits, "a:x"),
        (Factors().parse, "1"),
        (Factors().parse, "x:1"),
    ],
)
def test_text_that_is_not_understood(parse, text):
    with pytest.raises(Refused, match="is not understood; give"):
        parse(text)
