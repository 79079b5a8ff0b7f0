"""The licence of a data set, as the readers of its descriptions find it."""

import json

import pytest
import yaml

from pipeline import DatasetSpec, SpecError, generate
from tests.conftest import make_spec


@pytest.fixture(scope="module")
def licensed(inputs, tmp_path_factory):
    root = tmp_path_factory.mktemp("licensed")
    spec = make_spec(inputs, root / "set", max_samples=6, num_shards=1, license="CC-BY-4.0")
    generate(spec, ["--direct_num_workers=1"], progress=False)
    return root / "set"


def test_it_stands_in_card_and_manifest(licensed):
    front = yaml.safe_load((licensed / "README.md").read_text().split("---")[1])
    assert front["license"] == "cc-by-4.0"  # As the hub spells it.
    assert json.loads((licensed / "manifest.json").read_text())["spec"]["license"] == "CC-BY-4.0"


def test_croissant_reads_it(licensed):
    mlcroissant = pytest.importorskip("mlcroissant")
    metadata = mlcroissant.Dataset(str(licensed / "croissant.json")).metadata
    assert metadata.license == ["https://spdx.org/licenses/CC-BY-4.0"]


def test_tfds_reads_it(licensed):
    tfds = pytest.importorskip("tensorflow_datasets")
    for name in ("mask_depth", "mask_depth_assets"):
        builder = tfds.builder_from_directory(str(licensed / "tfrecord" / name / "1.0.0"))
        assert builder.info.redistribution_info.license == "CC-BY-4.0"


def test_a_set_without_one_says_nothing(plain):
    with open(f"{plain.output}/README.md") as file:
        assert "license:" not in file.read().split("---")[1]
    with open(f"{plain.output}/croissant.json") as file:
        assert "license" not in json.load(file)


@pytest.mark.parametrize("text", ["", "my licence", "CC BY 4.0", "a\nb", "../x"])
def test_what_is_no_identifier_is_refused(text):
    with pytest.raises(SpecError, match="--license="):
        DatasetSpec(foregrounds="fg", backgrounds="bg", output="set", license=text)
