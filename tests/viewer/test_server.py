"""What the viewer's server answers, and what it refuses."""

import hashlib
import http.client
import io
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline import SpecError, generate
from pipeline.cli import main
from pipeline.viewer.opened import open_set
from pipeline.viewer.server import Viewer
from tests.conftest import make_spec
from tests.viewer.conftest import served
from transforms.report.sample_index import INDEX


def ask(
    server: Viewer, path: str, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    connection.request(method, path, headers=dict(headers or {}))
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data, dict(answer.getheaders())


def found(server: Viewer, **query: object) -> dict:
    status, data, _ = ask(server, f"/api/find?{urlencode({'limit': 500, **query})}")
    assert status == 200, data
    return json.loads(data)


@pytest.fixture(scope="module")
def records(full) -> list[dict]:
    rows = []
    for split in ("train", "test"):
        for file in sorted((Path(full.output) / "data").glob(f"{split}-*.parquet")):
            rows += [{**row, "split": split} for row in pq.read_table(file).to_pylist()]
    return rows


def test_it_says_what_the_set_is(viewer, full):
    about = json.loads(ask(viewer, "/api/set")[1])
    assert about["samples"] == full.samples and about["failed"] == 0
    assert (about["width"], about["height"]) == (160, 128)
    assert about["views"] == ["composite", "mask", "depth", "overlay"]
    assert [name for name, _ in about["splits"]] == ["test", "train"]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, lambda r: True),
        ({"split": "test"}, lambda r: r["split"] == "test"),
        ({"split": "absent"}, lambda r: False),
        ({"fg": 3}, lambda r: r["fg_id"] == 3),
        ({"bg": 2, "flip": 1}, lambda r: r["bg_id"] == 2 and r["flip"] == 1),
        ({"least": 9.5, "most": 12}, lambda r: 0.095 <= r["area"] / (160 * 128) <= 0.12),
        ({"text": "3_2"}, lambda r: (r["fg_id"], r["bg_id"]) == (3, 2)),
        ({"text": "fg_bg_3_2_"}, lambda r: (r["fg_id"], r["bg_id"]) == (3, 2)),
        ({"text": "fg_bg_3"}, lambda r: r["fg_id"] == 3),
        ({"text": "12_6_1_2"}, lambda r: r["key"] == "fg_bg_12_6_1_2"),
        ({"text": "fg_bg_12_6_1_2"}, lambda r: r["key"] == "fg_bg_12_6_1_2"),
        ({"text": "FG_IMG_1"}, lambda r: r["fg_id"] in (1, 10, 11, 12)),
        ({"text": "fg_img_1. bg_img_6"}, lambda r: (r["fg_id"], r["bg_id"]) == (1, 6)),
        ({"failed": 1}, lambda r: False),
        ({"objects_from": 2}, lambda r: False),
        ({"objects_to": 1}, lambda r: True),
    ],
)
def test_filters(viewer, records, query, wanted):
    expected = [record["key"] for record in records if wanted(record)]
    answer = found(viewer, **query)
    keys = [row[1] for row in answer["rows"]]
    assert answer["total"] == len(expected) and sorted(keys) == sorted(expected)
    text = ask(viewer, f"/api/keys?{urlencode(query)}")[1].decode()
    assert sorted(text.split()) == sorted(expected)


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("coverage", lambda r: r["area"]),
        ("foreground", lambda r: r["fg_id"]),
        ("background", lambda r: r["bg_id"]),
        ("placement", lambda r: r["seq"]),
    ],
)
def test_orders(viewer, records, sort, value):
    by_key = {record["key"]: record for record in records}
    for name, reverse in ((sort, False), (f"-{sort}", True)):
        values = [value(by_key[row[1]]) for row in found(viewer, sort=name)["rows"]]
        assert values == sorted(values, reverse=reverse) and len(values) == len(records)
    shuffled = [row[0] for row in found(viewer, sort="shuffled")["rows"]]
    assert shuffled != sorted(shuffled) and sorted(shuffled) == list(range(len(records)))


def test_an_answer_is_a_part_with_its_place(viewer):
    whole = found(viewer, sort="coverage")
    part = found(viewer, sort="coverage", offset=37, limit=5)
    assert part["rows"] == whole["rows"][37:42] and part["total"] == whole["total"]
    key = whole["rows"][40][1]
    place = json.loads(ask(viewer, f"/api/place?sort=coverage&key={key}")[1])
    assert place == {"row": whole["rows"][40][0], "place": 40}
    for word in (key.removeprefix("fg_bg_"), f"{key}_", key[:-2]):
        found_row = json.loads(ask(viewer, f"/api/place?key={word}")[1])["row"]
        assert found_row == (whole["rows"][40][0] if key.endswith(word) else None)
    other = json.loads(ask(viewer, f"/api/place?split=absent&key={key}")[1])
    assert other == {"row": whole["rows"][40][0], "place": None}
    assert json.loads(ask(viewer, "/api/place?key=nothing")[1]) == {"row": None, "place": None}


def test_pictures_are_those_of_the_set(viewer, records):
    by_key = {record["key"]: record for record in records}
    for row, key, *_ in found(viewer, sort="shuffled")["rows"][:5]:
        record = by_key[key]
        for view, field in (("composite", "image"), ("mask", "mask")):
            status, data, headers = ask(viewer, f"/picture/{row}/{view}")
            assert (status, data) == (200, record[field]["bytes"])
            assert headers["Content-Type"] == ("image/jpeg" if view == "composite" else "image/png")
        depth = np.asarray(Image.open(io.BytesIO(record["depth"]["bytes"]))).astype(int)
        shown = np.asarray(Image.open(io.BytesIO(ask(viewer, f"/picture/{row}/depth")[1])))
        bright = shown.astype(int).sum(axis=2)  # The map's colours grow brighter all the way.
        near, far = np.unravel_index([depth.argmax(), depth.argmin()], depth.shape)[0:2]
        assert bright[near[0], far[0]] > 600 and bright[near[1], far[1]] < 30
        overlay = np.asarray(Image.open(io.BytesIO(ask(viewer, f"/picture/{row}/overlay")[1])))
        mask = np.asarray(Image.open(io.BytesIO(record["mask"]["bytes"])))
        red = overlay[..., 0].astype(int) - overlay[..., 1]
        assert red[mask == 255].mean() > red[mask == 0].mean() + 50


def test_a_sample_has_its_record_and_its_inputs(viewer, records):
    row, key, *_ = found(viewer, text="5_4_1_2")["rows"][0]
    sample = json.loads(ask(viewer, f"/api/sample/{row}")[1])
    [record] = [each for each in records if each["key"] == key]
    plain = {k: v for k, v in record.items() if k not in ("image", "mask", "depth", "split")}
    assert sample["record"] == plain
    assert sample["foreground"]["name"] == "fg_img_5.png"
    assert sample["background"]["name"] == "bg_img_4.png"
    assert sample["same"] == {"fg": 6 * 2 * 2, "bg": 12 * 2 * 2}
    names = json.loads(ask(viewer, "/api/inputs?kind=bg&name=img_4")[1])
    assert [(each["id"], each["name"]) for each in names] == [(4, "bg_img_4.png")]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1"]
)
def test_other_hosts_are_refused(viewer, host):
    headers = {"Host": host.format(port=viewer.server_port)}
    for path in ("/", "/api/set", "/api/keys", "/picture/0/composite"):
        status, data, _ = ask(viewer, path, headers=headers)
        assert status == 421 and b"PNG" not in data and b"samples" not in data
    assert ask(viewer, "/", headers={"Host": f"localhost:{viewer.server_port}"})[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/manifest.json",
        "/page.py",
        "/picture/0/../../manifest.json",
        "/picture/0/image",
        "//etc/passwd",
    ],
)
def test_no_path_leads_to_a_file(viewer, path):
    assert ask(viewer, path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/picture/432000/mask",
        "/picture/-1/mask",
        "/picture/x/mask",
        "/api/sample/99999999999999999999999",
        "/api/find?fg=much",
        "/api/find?fg=99999999999999999999999",
        "/api/find?sort=__class__",
        "/api/find?colour=red",
        "/api/find?limit=-1",
        "/api/inputs?kind=files",
    ],
)
def test_what_means_nothing_is_refused_in_words(viewer, path):
    status, data, headers = ask(viewer, path)
    assert status == 400 and headers["Content-Type"].startswith("text/plain")
    assert b"Traceback" not in data and data


def test_only_reading_is_answered_and_nothing_runs_that_is_not_the_pages(viewer):
    for method in ("POST", "PUT", "DELETE"):
        assert ask(viewer, "/api/set", method)[0] == 501
    status, data, headers = ask(viewer, "/", "HEAD")
    assert (status, data) == (200, b"")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert viewer.server_address[0] == "127.0.0.1"


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_set_without_an_index_gets_one_outside(copied, tmp_path):
    wanted = pq.read_table(copied / INDEX)
    (copied / INDEX).unlink()
    before = contents(copied)
    cache = tmp_path / "cache"
    cache.mkdir()
    with served(str(copied), cache) as server:
        assert found(server)["total"] == 432
    assert contents(copied) == before
    assert pq.read_table(cache / "index.parquet").equals(wanted)


def test_a_damaged_shard_is_said_and_the_others_are_shown(copied, tmp_path):
    files = sorted((copied / "data").glob("*.parquet"))
    files[1].write_bytes(files[1].read_bytes()[:5000])
    with served(str(copied), tmp_path) as server:
        rows = found(server)["rows"]
        assert ask(server, f"/picture/{rows[0][0]}/mask")[0] == 200
        status, data, _ = ask(server, f"/picture/{rows[200][0]}/mask")
        assert status == 500 and b"Parquet" in data
        sample = json.loads(ask(server, f"/api/sample/{rows[200][0]}")[1])
        assert files[1].name in sample["failure"]


def test_sets_of_tfrecord_alone_are_shown(inputs, tmp_path):
    spec = make_spec(inputs, tmp_path / "set", formats=("tfrecord",), max_samples=40, num_shards=2)
    generate(spec, ["--direct_num_workers=1"], progress=False)
    with served(spec.output, tmp_path) as server:
        for row in (39, 0, 20):
            mask = Image.open(io.BytesIO(ask(server, f"/picture/{row}/mask")[1]))
            sample = json.loads(ask(server, f"/api/sample/{row}")[1])
            assert int((np.asarray(mask) >= 128).sum()) == sample["record"]["area"]


def test_what_cannot_be_shown_is_refused(copied, inputs, tmp_path, capsys):
    with pytest.raises(SpecError, match="is no data set"):
        open_set(str(tmp_path), str(tmp_path))
    (copied / "state/plan.json").rename(tmp_path / "plan.json")
    with pytest.raises(SpecError, match=r"has no state/plan.json, which is not published"):
        open_set(str(copied), str(tmp_path))
    (tmp_path / "plan.json").rename(copied / "state/plan.json")
    (copied / "manifest.json").unlink()
    with pytest.raises(SpecError, match="is unfinished"):
        open_set(str(copied), str(tmp_path))
    spec = make_spec(inputs, tmp_path / "coco", formats=("coco",), max_samples=8, num_shards=1)
    generate(spec, ["--direct_num_workers=1"], progress=False)
    with pytest.raises(SpecError, match=r"out of tfrecord or parquet, .* only coco; look at its g"):
        open_set(spec.output, str(tmp_path))
    assert main(["view", str(tmp_path)]) == 2
    assert main(["view", str(copied), "--prot=80"]) == 2
    assert "did you mean --port?" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(viewer):
    with pytest.raises(SpecError, match=f"--port={viewer.server_port} cannot be had"):
        Viewer(viewer.opened, viewer.server_port)
