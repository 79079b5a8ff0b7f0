"""Options: one declaration gives flag, config key, Python field, help and check."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.cli import main, parser
from pipeline.option import (
    SpecError,
    Whole,
    declared,
    documented,
    nearest,
    normalise,
    option,
)
from pipeline.options import from_arguments, generate_flags, performance_of, read_config, spec_of
from pipeline.performance import Performance
from pipeline.spec import DatasetSpec, SplitShare
from transforms.formats import FORMATS, NAMES
from transforms.pixels.size import Size

PLACES = {"foregrounds": "f", "backgrounds": "b", "output": "o"}


def spec_with(**changes: Any) -> DatasetSpec:
    """A spec of values of whatever type."""
    return DatasetSpec(**{**PLACES, **changes})


def arguments(*words: str):
    return parser().parse_known_args(["generate", *words])[0]


def test_one_declaration_is_flag_config_key_field_help_and_check(capsys):
    @documented
    @dataclass(frozen=True)
    class Soup:
        """A soup."""

        salt: int = field(
            default=3, metadata=option("taste", Whole(0, 9), "grains of it", flag="salt_grains")
        )

        def __post_init__(self) -> None:
            normalise(self)

    import argparse

    from pipeline.options import add_options

    made = argparse.ArgumentParser()
    add_options(made, Soup)
    made.print_help()
    assert "--salt_grains N  grains of it (default: 3)" in " ".join(
        capsys.readouterr().out.split(" ")
    )
    assert "salt: grains of it (default: 3)." in (Soup.__doc__ or "")
    assert from_arguments(Soup, made.parse_args(["--salt_grains=4"])) == Soup(4)
    assert from_arguments(Soup, made.parse_args([]), {"salt_grains": 5}) == Soup(5)
    with pytest.raises(SpecError, match=r"^--salt_grains=10 is invalid; give 0 to 9$"):
        Soup(10)


def test_every_field_is_an_option():
    for cls in (DatasetSpec, Performance):
        assert [each.name for each in declared(cls)] == list(cls.__dataclass_fields__)
    assert len(set(generate_flags())) == len(generate_flags())


def test_the_names_of_formats_are_known_without_their_modules():
    assert tuple(FORMATS) == NAMES
    assert all(format.name == name for name, format in FORMATS.items())


def test_help_imports_nothing_heavy():
    code = (
        "import sys\\n"
        "from pipeline.cli import main\\n"
        "try: main(['generate', '--help'])\\n"
        "except SystemExit: pass\\n"
        "heavy = {'numpy', 'PIL', 'apache_beam', 'torch', 'pyarrow', 'yaml'} & set(sys.modules)\\n"
        "assert not heavy, heavy"
    ).replace("\\n", "\n")
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True)


def test_switches_have_both_forms():
    words = [f"--{name}=x" for name in PLACES]
    assert spec_of(arguments(*words)).flip
    for word in ("--no_flip", "--no-flip"):
        assert not spec_of(arguments(*words, word)).flip
    assert spec_of(arguments(*words, "--no_flip", "--flip")).flip
    assert performance_of(arguments("--half_precision", "--share-model")) == Performance(
        half_precision=True, share_model=True
    )


def test_python_gives_what_is_plain():
    spec = spec_with(
        foregrounds=Path("f"), backgrounds=Path("b"), output=Path("o"), image_size=np.int32(64),
        foreground_size=32.0, placements=np.uint8(3), flip=np.bool_(False),
        scale_jitter=[1, np.float32(1)],
        formats=["zip"], splits=(("a", 0.5), ("b", 0.5)), max_failures=0, seed=np.int64(-1),
    )  # fmt: skip
    assert spec == DatasetSpec(
        "f", "b", "o", image_size=64, foreground_size=32, placements=3, flip=False,
        scale_jitter=(1.0, 1.0), formats=("zip",), max_failures=0.0, seed=-1,
        splits=(SplitShare("a", 0.5), SplitShare("b", 0.5)),
    )  # fmt: skip
    assert json.loads(spec.to_json())["placements"] == 3
    assert spec_with(splits={"a": 0.5, "b": 0.5}).splits == spec.splits


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"foregrounds": 3}, "--foregrounds=3 is invalid; give a path"),
        ({"foregrounds": b"x"}, "--foregrounds=b'x' is invalid; give a path"),
        ({"output": ""}, "--output= is empty; give a path"),
        ({"masks": ""}, "--masks= is empty; give a path"),
        ({"image_size": "64x"}, "--image_size=64x is not understood; give N, or WIDTHxHEIGHT"),
        ({"image_size": 64.5}, "--image_size=64.5 is not understood; give N, or"),
        ({"image_size": None}, "--image_size=None is not understood; give N, or"),
        ({"image_size": True}, "--image_size=True is not understood; give N, or"),
        ({"placements": float("inf")}, "--placements=inf is invalid; give a whole number"),
        ({"flip": "yes"}, "--flip=yes is invalid; give true or false"),
        ({"flip": 1}, "--flip=1 is invalid; give true or false"),
        ({"scale_jitter": 0.5}, "--scale_jitter=0.5 is invalid; give two numbers"),
        ({"scale_jitter": (0.5, float("inf"))}, "is invalid; give two numbers"),
        ({"scale_jitter": (0.5, float("nan"))}, "is invalid; give two numbers"),
        ({"formats": 3}, "--formats=3 is invalid"),
        ({"formats": ["zip", 3]}, "is invalid; give names"),
        ({"splits": (("a", "x"),)}, "is invalid; give names and shares such as train:0.9"),
        ({"splits": 5}, "--split=5 is invalid; give names and shares"),
        ({"splits": [("a", float("nan"))]}, "--split=a:nan is invalid; give each split a share"),
        ({"depth_model": None}, "--depth_model=None is invalid; give text"),
        ({"max_failures": "x"}, "--max_failures=x is invalid; give 0 to 1"),
        ({"max_failures": float("nan")}, "--max_failures=nan is invalid; give 0 to 1"),
        ({"on_error": "stop"}, "--on_error=stop is unknown; give skip or fail"),
    ],
)
def test_python_is_refused_with_the_name_of_the_field(changes, words):
    with pytest.raises(SpecError) as caught:
        spec_with(**changes).check()
    assert words in str(caught.value) and len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"batch_size": 0}, "--batch_size=0 is invalid; give at least 1"),
        ({"batch_size": -5}, "--batch_size=-5 is invalid; give at least 1"),
        ({"threads": -1}, "--depth_threads=-1 is invalid; give at least 1"),
        ({"device": "nonsense"}, "--depth_device=nonsense is unknown; give cpu, cuda or cuda:N"),
    ],
)
def test_performance_is_refused_with_the_name_of_the_option(changes, words):
    with pytest.raises(SpecError, match=words):
        Performance(**changes)


@pytest.mark.parametrize(
    "word, words",
    [
        ("--scale_jitter=0.5:inf", "--scale_jitter=0.5:inf is invalid"),
        ("--num_shards=--5", "--num_shards=--5 is not understood; give auto or a number"),
        ("--num_shards=²", "--num_shards=² is not understood; give auto or a number"),
        ("--num_shards=0", "--num_shards=0 is invalid; give at least 1"),
        (
            "--image_size=6x",
            "--image_size=6x is not understood; give N, or WIDTHxHEIGHT such as 208x160",
        ),
        ("--depth_device=nonsense", "--depth_device=nonsense is unknown"),
        ("--depth_threads=-1", "--depth_threads=-1 is invalid; give at least 1"),
        ("--direct_num_workers=-3", "--direct_num_workers=-3 is invalid; give at least 1"),
        ("--direct_num_workers=x", "--direct_num_workers: invalid int value: 'x'"),
        ("--placement=50", "--placement is not an option; did you mean --placements?"),
        ("--image-size=64", "--image-size is not an option; did you mean --image_size?"),
        ("--direct-num-workers=2", "did you mean --direct_num_workers?"),
        ("--dryrun", "--dryrun is not an option; did you mean --dry_run?"),
        ("--zzz=1", "--zzz is not an option; see --help"),
        ("stray", "'stray' is unexpected; options begin with -- (see --help)"),
        ("-x", "-x is not an option"),
        ("--seed", "--seed: expected one argument; see --help"),
        ("--output=", "--output= is empty; give a path"),
    ],
)
def test_generate_refuses_in_one_line(tmp_path, capsys, word, words):
    places = [f"--foregrounds={tmp_path}", f"--backgrounds={tmp_path}", f"--output={tmp_path}/o"]
    assert main(["generate", *places, "--depth_model=none", word]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and words in line
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    "command, words",
    [
        (["verify", "x", "--sample=0"], "--sample=0 is invalid; give at least 1"),
        (["verify", "x", "--samples=5"], "--samples is not an option; did you mean --sample?"),
        (["verify", "x", "y"], "'y' is unexpected"),
        (["depth", "--image=x"], "--image is not an option of depth; did you mean --images?"),
        (["depth", "--output=x"], "--images=DIR_OR_GLOB is missing (pictures of any size)"),
        (["depth", "--images=x", "--output=y", "--depth_threads=0"], "give at least 1"),
        (["generat"], "invalid choice: 'generat'"),
        ([], "required: COMMAND"),
        (
            ["generate"],
            "--foregrounds=DIR_OR_GLOB is missing (cut-outs with alpha, or photographs to cut out)",
        ),
    ],
)
def test_other_requests_are_refused_in_one_line(capsys, command, words):
    assert main(command) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and words in line


def test_flags_of_beam_and_of_its_runners_pass():
    from pipeline.beam_flags import check_beam_flags

    known = [
        "--runner", "DirectRunner", "--direct_num_workers=2", "--temp_location=gs://b/t",
        "--flink_master=[local]", "--prism_location=/x", "--s3_endpoint_url=http://s",
        "--streaming", "--experiments=a", "--render_output=x.svg",
    ]  # fmt: skip
    check_beam_flags(known, [])
    check_beam_flags(["--runner=FlinkRunner", "--flinkJobsKnob=3"], [])
    with pytest.raises(SpecError, match="did you mean --flink_master"):
        check_beam_flags(["--runner=FlinkRunner", "--flink_mster=x"], [])


def test_the_nearest_name():
    assert nearest("--Image-Size", ["image_size", "seed"]) == "image_size"
    assert nearest("zzz", ["image_size", "seed"]) is None


YAML = """
foregrounds: f
backgrounds: b
output: o
split: {train: 0.9, test: 0.1}
scale_jitter: 0.5:1.0
formats: [zip]
flip: false
image_size: 208x160
zip_depth_size: 80
depth_threads: 2
direct_num_workers: 2
"""
TOML = """
foregrounds = "f"
backgrounds = "b"
output = "o"
split = "train:0.9,test:0.1"
scale_jitter = [0.5, 1]
formats = "zip"
flip = false
image_size = "208x160"
zip_depth_size = 80
depth_threads = 2
direct_num_workers = 2
"""


@pytest.mark.parametrize("name, text", [("job.yaml", YAML), ("job.toml", TOML)])
def test_a_config_file_gives_options_and_flags_win(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    config = read_config(str(tmp_path / name))
    spec = spec_of(arguments("--formats=parquet", "--flip"), config.values)
    assert spec == spec_with(
        splits={"train": 0.9, "test": 0.1},
        scale_jitter=(0.5, 1.0),
        formats=("parquet",),
        image_size="208x160",
        zip_depth_size=80,
    )
    assert spec.size == Size(208, 160) and spec.zip_depth == Size(80, 80)
    assert performance_of(arguments(), config.values) == Performance(threads=2)
    assert config.beam == ("--direct_num_workers=2",)


@pytest.mark.parametrize(
    "text, words",
    [
        ("placement: 3", "placement is not an option; did you mean placements?"),
        ("overwrite: true", "overwrite is for the command line; give --overwrite there"),
        ("- a", "give a mapping of options"),
        ("a: [", "is not understood"),
        ("split: a:1\nsplits: a:1", "split and splits are the same option"),
    ],
)
def test_a_config_file_that_is_not_understood_is_one_line(tmp_path, capsys, text, words):
    (tmp_path / "job.yaml").write_text(text)
    assert main(["generate", f"--config={tmp_path / 'job.yaml'}"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert words in line and "job.yaml" in line


def test_a_config_file_that_is_not_there(tmp_path, capsys):
    assert main(["generate", f"--config={tmp_path / 'no.yaml'}"]) == 2
    assert "no.yaml cannot be read: No such file" in capsys.readouterr().err


def test_a_wrong_value_in_a_config_file_is_named(tmp_path):
    (tmp_path / "job.yaml").write_text("foregrounds: f\nbackgrounds: b\noutput: o\nimage_size: x")
    with pytest.raises(SpecError, match="--image_size=x is not understood; give N, or"):
        spec_of(arguments(), read_config(str(tmp_path / "job.yaml")).values)


@pytest.mark.parametrize(
    "given, kept", [("160x160", 160), ("64", 64), ("64x208", "64x208"), (Size(64, 208), "64x208")]
)
def test_a_square_is_kept_as_its_side(given, kept):
    for spec in (spec_with(image_size=given), spec_of(arguments(f"--image_size={given}"), PLACES)):
        assert spec.image_size == kept
        fields = json.loads(spec.to_json())
        assert fields["image_size"] == kept
        assert DatasetSpec.from_json(spec.to_json()) == spec


def test_a_spec_is_a_config_file(tmp_path):
    spec = spec_with(splits={"a": 0.5, "b": 0.5}, scale_jitter=(0.5, 1), num_shards=4)
    (tmp_path / "spec.json").write_text(spec.to_json())
    assert spec_of(arguments(), read_config(str(tmp_path / "spec.json")).values) == spec


def test_an_older_spec_has_defaults_for_what_it_lacks():
    spec = spec_with(seed=5)
    fields = json.loads(spec.to_json())
    for name in ("categories", "depth_bits", "max_failures"):
        del fields[name]
    assert DatasetSpec.from_json(json.dumps(fields)) == spec


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "is damaged"),
        ("[]", "lacks one of foregrounds, backgrounds, output"),
        ("{}", "lacks one of foregrounds, backgrounds, output"),
        (json.dumps({**PLACES, "colour": 3}), "has 'colour', which this version does not know"),
        (json.dumps({**PLACES, "image_size": "x"}), "--image_size=x is not understood"),
    ],
)
def test_a_spec_that_cannot_be_read_is_one_line(text, words):
    with pytest.raises(SpecError) as caught:
        DatasetSpec.from_json(text)
    assert words in str(caught.value) and len(str(caught.value).splitlines()) == 1
