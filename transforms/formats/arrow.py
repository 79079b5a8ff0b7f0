"""The kinds of fields as types of Arrow."""

import pyarrow as pa

from transforms.formats.schema import Kind

PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_BOX = pa.list_(pa.int64(), 4)

ARROW_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "int64": pa.int64(),
    "float32": pa.float32(),
    "label": pa.int64(),
    "box": _BOX,
    "picture": PICTURE,
    "texts": pa.list_(pa.string()),
    "int64s": pa.list_(pa.int64()),
    "float32s": pa.list_(pa.float32()),
    "boxes": pa.list_(_BOX),
}
