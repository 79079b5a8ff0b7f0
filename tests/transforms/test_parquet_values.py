"""Values found by their places in a file, held against what pyarrow reads."""

import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.formats.parquet_values import NotPlain, PlainFile

COLUMNS = ["text", "picture.bytes", "whole", "share"]


def table(rows: int = 250) -> pa.Table:
    pictures = [
        {"bytes": bytes([i % 256]) * (i * 7 % 900), "path": f"{i}.png"} for i in range(rows)
    ]
    return pa.table(
        {
            "text": [f"{i}_{i * i}" for i in range(rows)],
            "picture": pictures,
            "whole": pa.array([i - 100 for i in range(rows)], pa.int64()),
            "share": pa.array([i / 7 for i in range(rows)], pa.float32()),
        }
    )


def written(path, content: pa.Table, **options: object) -> str:
    plain = {"compression": "none", "use_dictionary": False, "row_group_size": 100}
    pq.write_table(content, path, **{**plain, **options})
    return str(path)


@pytest.mark.parametrize("page", [1, 1000, 2**20])
def test_every_value_stands_where_it_is_said_to(tmp_path, page):
    content = table()
    path = written(tmp_path / "a", content, data_page_size=page, write_batch_size=8)
    file, rows = PlainFile(path, COLUMNS), iter(content.to_pylist())
    for group, count in enumerate((100, 100, 50)):
        places = file.places(group)
        assert places.shape == (count, 4)
        for text, picture, whole, share in places.tolist():
            row = next(rows)
            assert bytes(file.bytes_at(text)).decode() == row["text"]
            assert bytes(file.bytes_at(picture)) == row["picture"]["bytes"]
            assert struct.unpack_from("<q", file.data, whole)[0] == row["whole"]
            assert struct.unpack_from("<f", file.data, share)[0] == row["share"]
    assert next(rows, None) is None


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "snappy"},
        {"use_dictionary": True},
        {"column_encoding": {"whole": "DELTA_BINARY_PACKED"}},
        {"column_encoding": {"share": "BYTE_STREAM_SPLIT"}},
        {"write_statistics": False},
    ],
    ids=str,
)
def test_values_that_do_not_stand_there_as_they_are_have_no_place(tmp_path, options):
    path = written(tmp_path / "a", table(), **options)
    with pytest.raises(NotPlain):
        PlainFile(path, COLUMNS).places(0)


def test_missing_values_and_lists_have_no_place(tmp_path):
    holes = written(tmp_path / "a", pa.table({"text": ["a", None, "c"]}))
    lists = written(tmp_path / "b", pa.table({"text": [["a"], ["b", "c"]]}))
    with pytest.raises(NotPlain, match="incomplete"):
        PlainFile(holes, ["text"])
    with pytest.raises(NotPlain, match="lists"):
        PlainFile(lists, ["text.list.element"])


def test_damaged_pages_have_no_place(tmp_path):
    path = tmp_path / "a"
    written(path, table())
    start = pq.read_metadata(path).row_group(0).column(0).data_page_offset
    whole = path.read_bytes()
    for at in range(start, start + 60):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            places = PlainFile(str(path), COLUMNS).places(0)
        except NotPlain:
            continue
        assert len(places) == 100
