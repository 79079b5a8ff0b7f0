"""ArrayRecord: a data set's TFRecord files once more, as `tfds` reads single samples of them.

    python -m pipeline.readers.array_record DIR TARGET
    tfds.builder_from_directory("TARGET/mask_depth/1.0.0").as_data_source("train")[7]

`tfds` has random access, its data sources, for ArrayRecord alone. The records and their order are
those of TFRecord. Needs array-record, which the extra
`tensorflow` has on Linux.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

from transforms.extras import missing
from transforms.formats.base import CLEAN, SAMPLES, VERSION
from transforms.formats.tfrecord import read_frames

try:
    from array_record.python.array_record_module import ArrayRecordWriter
except ImportError:
    raise missing(__name__, "array-record", "tensorflow") from None

_INFO = "dataset_info.json"
# A record is a group of its own, so that it is read alone; pictures are compressed already.
_OPTIONS = "group_size:1,uncompressed"


def convert(directory: str | Path, target: str | Path) -> None:
    """Writes the samples and the clean pictures of a data set in ArrayRecord.

    Files that are there already are kept: after an interruption, the same call continues.

    Args:
        directory: folder of the data set, on a local file system.
        target: folder of the copy, outside the data set.

    Raises:
        FileNotFoundError: the data set has no TFRecord files.
        FormatError: one of them is damaged.
        ValueError: `target` is inside the data set.
    """
    directory, target = Path(directory), Path(target)
    if target.resolve().is_relative_to(directory.resolve()):
        raise ValueError(f"{target} is inside the data set {directory}; give another folder")
    for name in (SAMPLES, CLEAN):
        source, copy = directory / "tfrecord" / name / VERSION, target / name / VERSION
        if not (source / _INFO).exists():
            raise FileNotFoundError(
                f"{directory}: there is no {source / _INFO}; make the set with --formats=tfrecord"
            )
        copy.mkdir(parents=True, exist_ok=True)
        for path in (*source.glob("features.json"), *source.glob("*.labels.txt")):
            shutil.copyfile(path, copy / path.name)
        info = json.loads((source / _INFO).read_text())
        for split in info["splits"]:
            paths = sorted(source.glob(f"{name}-{split['name']}.tfrecord-*"))
            sizes = [_convert(path, copy) for path in paths]
            split["numBytes"] = str(sum(sizes))
        info["fileFormat"] = "array_record"
        # It comes last: without it, `tfds` sees no data set.
        part = _part(copy / _INFO)
        part.write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n")
        os.replace(part, copy / _INFO)


def _convert(source: Path, folder: Path) -> int:
    """Writes a shard if it is not there, and says how many bytes it has."""
    path = folder / source.name.replace(".tfrecord-", ".array_record-")
    if not path.exists():
        part = _part(path)
        writer = ArrayRecordWriter(str(part), _OPTIONS)
        for record in read_frames(str(source)):
            writer.write(record)
        writer.close()
        os.replace(part, path)
    return path.stat().st_size


def _part(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(f".{path.name}.part")


def main() -> None:
    """Converts the data set that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", metavar="DIR", help="folder of the data set")
    parser.add_argument("target", metavar="TARGET", help="folder of the copy in ArrayRecord")
    options = parser.parse_args()
    try:
        convert(options.directory, options.target)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
