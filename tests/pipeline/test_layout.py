"""Categories in the tables, and data sets of the layout that had none."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from pipeline import SpecError, generate
from pipeline.run import GenerateResult
from pipeline.verify import verify
from tests.conftest import make_spec
from tests.readers.rows import rows_by_key
from transforms.formats import TABLE_FORMATS
from transforms.formats.schema import Schema
from transforms.pixels.input_cache import forget_plans
from transforms.pixels.size import Size
from transforms.plan.identity import forget_identities
from transforms.plan.plan import Plan

FIELDS_1 = [
    "key", "image", "mask", "depth", "depth_scale", "depth_offset",
    "fg_id", "bg_id", "flip", "seq", "bbox", "area",
]  # fmt: skip
"""The fields of the first layout."""

ONE = ["--direct_num_workers=1"]


@pytest.fixture
def sorted_inputs(inputs, tmp_path) -> Path:
    """The inputs with the foregrounds in folders by what they show."""
    root = tmp_path / "inputs"
    shutil.copytree(inputs / "bg", root / "bg")
    for number in range(1, 13):
        add(inputs, root, number, "cars" if number % 3 else "Lkw, groß")
    return root


def add(inputs: Path, root: Path, number: int, category: str) -> None:
    folder = root / "fg" / category
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(inputs / "fg" / f"fg_img_{number}.png", folder)


def made(root: Path, output: Path, **changes: object) -> GenerateResult:
    formats = tuple(TABLE_FORMATS)
    values = {"formats": formats, "placements": 1, "num_shards": 2, **changes}
    extend = bool(values.pop("extend", False))
    spec = make_spec(root, output, **values)
    result = generate(spec, ONE, progress=False, extend=extend)
    assert verify(result.output, ONE).faults == ()
    return result


def as_of_layout_1(result: GenerateResult) -> None:
    """Makes a data set without categories into one of the program that wrote the first layout.

    Its plan named neither layout nor categories, and nothing tied records to a data set.
    """
    root = Path(result.output)
    plan = root / "state/plan.json"
    changed = {plan: json.loads(plan.read_text())}
    for name in ("layout", "categories"):
        del changed[plan][name]
    for path in (root / "state/records").iterdir():
        changed[path] = json.loads(path.read_text())
        changed[path].pop("digest", None)
    manifest = json.loads((root / "manifest.json").read_text())
    del manifest["layout"]
    (root / "state/identity.json").unlink(missing_ok=True)
    files = [f for f in manifest["other_files"] if f["path"] != "state/identity.json"]
    manifest["other_files"] = files
    for path, content in changed.items():
        data = text_of(content).encode()
        path.write_bytes(data)
        [file] = [file for file in files if root / file["path"] == path]
        file.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    data = text_of(manifest).encode()
    (root / "manifest.json").write_bytes(data)
    (root / "manifest.json.sha256").write_text(hashlib.sha256(data).hexdigest() + "\n")
    forget_plans()
    forget_identities()


def text_of(content: object) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def test_the_first_layout_is_that_of_sets_without_categories(full):
    assert [field.name for field in Schema(Size.square(8), "png", True).sample_fields()] == FIELDS_1
    assert list(next(iter(rows_by_key(full.output).values()))) == FIELDS_1


def test_every_table_has_the_category_of_each_sample(sorted_inputs, tmp_path):
    result = made(sorted_inputs, tmp_path / "set")
    assert json.loads(Path(result.manifest).read_text())["layout"] == 3
    for row in rows_by_key(result.output).values():
        wanted = ("cars", 1) if row["fg_id"] % 3 else ("Lkw, groß", 0)
        assert (row["category"], row["label"]) == wanted
    folder = Path(result.output, "tfrecord/mask_depth/1.0.0")
    assert (folder / "label.labels.txt").read_text() == "Lkw, groß\ncars\n"


def test_a_wrong_category_is_a_fault(sorted_inputs, tmp_path):
    """Verify holds categories against the plan: here, a plan in which one is another."""
    result = made(sorted_inputs, tmp_path / "set", formats=("parquet",))
    path = Path(result.output, "state/plan.json")
    text = path.read_text()
    assert "/cars/fg_img_1.png" in text
    path.write_text(text.replace("/cars/fg_img_1.png", "/Lkw, groß/fg_img_1.png"))
    faults = verify(result.output, ONE).faults
    assert any("category is cars, not Lkw, groß" in fault.what for fault in faults)


def test_a_table_gives_categories_without_coco(inputs, tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("id,category\n" + "".join(f"{n},c{n % 2}\n" for n in range(1, 13)))
    result = made(inputs, tmp_path / "set", categories=str(table), formats=("parquet",))
    assert {row["category"] for row in rows_by_key(result.output).values()} == {"c0", "c1"}


def test_an_extension_cannot_bring_new_categories(inputs, sorted_inputs, tmp_path):
    made(sorted_inputs, tmp_path / "set", formats=("parquet",))
    (sorted_inputs / "fg" / "Autos").mkdir()
    shutil.copy(inputs / "fg/fg_img_1.png", sorted_inputs / "fg/Autos/fg_img_99.png")
    with pytest.raises(SpecError, match="keeps the categories of a data set, Lkw, groß, cars; a"):
        made(sorted_inputs, tmp_path / "set", formats=("parquet",), extend=True)


@pytest.mark.slow
def test_a_set_of_the_first_layout_verifies_continues_and_grows(inputs, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.LAYOUT", 2)  # Both have the same keys.
        result = made(inputs, tmp_path / "set")
    as_of_layout_1(result)
    assert verify(result.output, ONE).faults == ()
    root = Path(result.output)
    shards = {p: p.read_bytes() for p in sorted(root.rglob("*-of-*")) if "records" not in p.parts}

    (root / "manifest.json").unlink()
    shutil.rmtree(root / "gallery")
    lost = next(root.glob("data/train-00000*"))
    lost.unlink()
    made(inputs, root)
    assert {path: path.read_bytes() for path in shards} == shards
    assert Plan.from_json((root / "state/plan.json").read_text()).layout == 1

    as_of_layout_1(result)
    # Foregrounds in a second folder do not bring categories to a set that was begun without.
    grown = tmp_path / "grown"
    shutil.copytree(inputs, grown)
    (grown / "fg" / "more").mkdir()
    data = (inputs / "fg" / "fg_img_1.png").read_bytes()
    (grown / "fg" / "more" / "fg_img_99.png").write_bytes(data)
    made(grown, root, extend=True)
    rows = rows_by_key(result.output)
    assert len(rows) == 13 * 6 * 2 and all("category" not in row for row in rows.values())
    assert json.loads((root / "manifest.json").read_text())["layout"] == 1
