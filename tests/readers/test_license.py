"""The terms of a data set and the credits of its pictures, as readers find them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline import DatasetSpec, Performance, SpecError, generate
from pipeline.dry_run import forecast
from pipeline.trial import RestCost, SampleCost
from pipeline.verify import verify
from tests.conftest import make_spec

LOCAL = ["--direct_num_workers=1"]


@pytest.fixture(scope="module")
def spec(inputs, tmp_path_factory):
    """Foregrounds 1 and 2 have stricter terms than the set, of background 6 nothing is known."""
    root = tmp_path_factory.mktemp("licensed")
    lines = ["file;Author;Licence;source", "fg_img_1.png;Ann <a|b>;CC BY-NC 4.0;https://pics/1"]
    lines += ["fg/fg_img_2.png;Ann <a|b>;CC BY-SA 4.0;own *work*"]
    lines += [f"fg_img_{number}.png;;CC0;" for number in range(3, 13)]
    lines += [f"bg_img_{number}.png;Zoë;cc-by-4.0;" for number in range(1, 6)]
    (root / "credits.csv").write_bytes("\r\n".join(lines).encode("utf-16"))
    return make_spec(
        inputs,
        root / "set",
        placements=1,
        num_shards=1,
        formats=("tfrecord", "parquet", "coco"),
        license="CC-BY-4.0",
        credits=str(root / "credits.csv"),
        published="2026-03-01",
        creator="Picture *House*",
    )


@pytest.fixture(scope="module")
def licensed(spec):
    generate(spec, LOCAL, progress=False)
    return Path(spec.output)


def test_it_stands_in_card_and_manifest(licensed):
    front = yaml.safe_load((licensed / "README.md").read_text().split("---")[1])
    assert front["license"] == "cc-by-4.0"  # As the hub spells it.
    assert json.loads((licensed / "manifest.json").read_text())["spec"]["license"] == "CC-BY-4.0"


def test_croissant_reads_it(licensed):
    mlcroissant = pytest.importorskip("mlcroissant")
    metadata = mlcroissant.Dataset(str(licensed / "croissant.json")).metadata
    assert metadata.license == ["https://spdx.org/licenses/CC-BY-4.0"]
    assert [person.name for person in metadata.creators] == ["Picture *House*", "Ann <a|b>", "Zoë"]
    assert f"{metadata.date_published:%Y-%m-%d}" == "2026-03-01"
    assert metadata.cite_as.startswith("@misc{mask_depth,")
    assert not metadata.issues.errors and not metadata.issues.warnings


def test_tfds_reads_it(licensed):
    tfds = pytest.importorskip("tensorflow_datasets")
    for name in ("mask_depth", "mask_depth_assets"):
        builder = tfds.builder_from_directory(str(licensed / "tfrecord" / name / "1.0.0"))
        assert builder.info.redistribution_info.license == "CC-BY-4.0"
        assert "author = {{Picture *House*} and {Ann <a|b>} and {Zoë}}" in builder.info.citation


def test_coco_has_the_strictest_licence_of_what_is_on_an_image(licensed):
    content = json.loads((licensed / "coco" / "train" / "annotations.json").read_text())
    names = {each["id"]: each["name"] for each in content["licenses"]}
    assert names == {
        1: "CC-BY-4.0", 2: "CC-BY-NC-4.0", 3: "CC-BY-SA-4.0", 4: "CC0-1.0"
    }  # fmt: skip
    assert content["licenses"][1]["url"] == "https://spdx.org/licenses/CC-BY-NC-4.0"
    found: dict[int, set[str]] = {image["fg_id"]: set() for image in content["images"]}
    for image in content["images"]:
        found[image["fg_id"]].add(names[image["license"]])
    wanted = {1: {"CC-BY-NC-4.0"}, 2: {"CC-BY-SA-4.0"}}
    assert found == {number: wanted.get(number, {"CC-BY-4.0"}) for number in range(1, 13)}


def test_the_credits_are_a_table_that_shows_names_as_they_are(licensed):
    text = (licensed / "CREDITS.md").read_text()
    nc = "[CC-BY-NC-4.0](https://spdx.org/licenses/CC-BY-NC-4.0)"
    assert (
        f"| fg/fg\\_img\\_1.png | foreground 1 | Ann &lt;a\\|b&gt; | {nc} | <https://pics/1> |"
        in text
    )
    assert "| own \\*work\\* |" in text
    assert "Of 1 other picture nothing is given." in text
    notes = [line for line in text.splitlines() if line.startswith("- **Note:**")]
    assert notes == [
        "- **Note:** inputs with stricter terms than CC-BY-4.0 of the data set: 2 of 18, such as"
        " fg\\_img\\_1.png (CC BY-NC 4.0).",
        "- **Note:** inputs without known terms, while others have some: 1 of 18, such as"
        " bg\\_img\\_6.png (no licence given).",
    ]
    assert "- The data set is made by Picture \\*House\\*.\n" in text
    card = (licensed / "README.md").read_text()
    assert "- The data set is made by Picture \\*House\\*.\n" in card
    assert all(note in card for note in notes) and "(CREDITS.md)" in card
    credit = json.loads((licensed / "manifest.json").read_text())["inputs"]["foregrounds"][0]
    assert credit["credit"] == {
        "author": "Ann <a|b>", "license": "CC BY-NC 4.0", "source": "https://pics/1"
    }  # fmt: skip


def test_terms_may_be_given_later_and_change_no_shard(spec, licensed):
    assert generate(spec, LOCAL, progress=False).already_finished
    shards = [path for path in licensed.rglob("*-of-*") if "state" not in path.parts]
    before = {path: path.read_bytes() for path in shards}
    changed = replace(spec, license="CC-BY-NC-SA-4.0", published="2026-04-01", creator=None)
    assert not generate(changed, LOCAL, progress=False).already_finished
    assert before and {path: path.read_bytes() for path in shards} == before
    found = json.loads((licensed / "croissant.json").read_text())
    assert found["license"].endswith("/CC-BY-NC-SA-4.0")
    assert found["datePublished"] == "2026-04-01"
    assert found["creator"][0]["name"] == "Picture *House*"  # What is not given stays.
    content = json.loads((licensed / "coco" / "train" / "annotations.json").read_text())
    assert {image["license"] for image in content["images"]} == {1}
    assert "stricter" not in (licensed / "CREDITS.md").read_text()
    assert verify(spec.output, LOCAL).faults == ()


def test_what_is_not_given_again_stays(spec, licensed):
    """With the command alone, after files were lost, and where the set grows."""
    silent = replace(spec, license=None, credits=None, published=None, creator=None)
    assert generate(silent, LOCAL, progress=False).already_finished
    said = {n: (licensed / n).read_bytes() for n in ("CREDITS.md", "croissant.json", "README.md")}
    (licensed / "manifest.json").unlink()
    (licensed / "CREDITS.md").unlink()
    generate(silent, LOCAL, progress=False)
    assert {name: (licensed / name).read_bytes() for name in said} == said
    kept = json.loads((licensed / "state/spec.json").read_text())
    assert kept["credits"] == spec.credits and kept["license"] == "CC-BY-NC-SA-4.0"
    assert verify(spec.output, LOCAL).faults == ()


def test_a_set_that_grows_keeps_its_terms(spec, tmp_path):
    first = replace(spec, output=str(tmp_path / "set"), formats=("parquet",))
    generate(first, LOCAL, progress=False)
    credits = (tmp_path / "set/CREDITS.md").read_text()
    more = replace(first, placements=2, license=None, credits=None, creator=None)
    generate(more, LOCAL, progress=False, extend=True)
    assert (tmp_path / "set/CREDITS.md").read_text() == credits
    over = replace(first, seed=5, license=None, credits=None, creator=None)
    generate(over, LOCAL, progress=False, overwrite=True)
    assert "none is given" in (tmp_path / "set/CREDITS.md").read_text()


def test_a_dry_run_says_what_the_run_does_of_terms(spec, tmp_path, monkeypatch, caplog):
    cost, rest = SampleCost(0, 0, 0, 0), RestCost(0, 0, 0, 0)
    monkeypatch.setattr("pipeline.dry_run._tried", lambda *_: (cost, rest, 0.0))
    fresh = replace(spec, output=str(tmp_path / "set"))
    text = forecast(fresh, LOCAL, Performance()).text()
    note = "inputs with stricter terms than CC-BY-4.0 of the data set: 2 of 18, such as"
    assert f"\nnote      {note}" in text
    generate(replace(fresh, formats=("parquet",)), LOCAL, progress=False)
    assert f"note: {note}" in caplog.text


def test_a_set_without_one_says_nothing(plain):
    with open(f"{plain.output}/README.md") as file:
        assert "license:" not in file.read().split("---")[1]
    with open(f"{plain.output}/croissant.json") as file:
        assert not {"license", "creator", "citeAs", "datePublished"} & set(json.load(file))
    with open(f"{plain.output}/CREDITS.md") as file:
        assert file.read() == (
            "# Credits\n\n- Licence of the data set: none is given.\n\n## Pictures\n\n"
            "Authors and terms of the pictures are not given.\n"
        )


@pytest.mark.parametrize("text", ["", "my licence", "CC BY 4.0", "a\nb", "../x"])
def test_what_is_no_identifier_is_refused(text):
    with pytest.raises(SpecError, match="--license="):
        DatasetSpec(foregrounds="fg", backgrounds="bg", output="set", license=text)


@pytest.mark.parametrize("text", ["", "today", "2026-02-30", "2026-3-1", "20260301", 2026])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(SpecError, match="--published="):
        DatasetSpec(foregrounds="fg", backgrounds="bg", output="set", published=text)
