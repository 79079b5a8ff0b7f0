"""A few lines of code for each reader, as they stand in the data set card and in the gallery.

Each opens the data set in `DIR` and ends with a composite, its mask, and the clean background that
belongs to it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from transforms.formats.base import CLEAN, SAMPLES, VERSION


@dataclass(frozen=True)
class Snippet:
    """A few lines of code that read the data set.

    Attributes:
        title: what they are for.
        code: the lines.
        format: name of the format that they read.
    """

    title: str
    code: str
    format: str


_TENSORFLOW = f"""\
import tensorflow_datasets as tfds

samples = tfds.builder_from_directory("DIR/tfrecord/{SAMPLES}/{VERSION}").as_dataset(split="SPLIT")
assets = tfds.builder_from_directory("DIR/tfrecord/{CLEAN}/{VERSION}")
backgrounds = {{int(b["id"]): b["image"] for b in assets.as_dataset(split="backgrounds")}}

sample = next(iter(samples))
image, mask, background = sample["image"], sample["mask"], backgrounds[int(sample["bg_id"])]"""

_HUGGING_FACE = """\
import datasets

samples = datasets.load_dataset("DIR", split="SPLIT")  # or streaming=True
assets = datasets.load_dataset("DIR", "assets", split="backgrounds")
backgrounds = {b["id"]: b["image"] for b in assets}

sample = next(iter(samples))
image, mask, background = sample["image"], sample["mask"], backgrounds[sample["bg_id"]]"""

_PYTORCH = """\
from pipeline.readers.torch import MaskDepthDataset
from torch.utils.data import DataLoader

samples = MaskDepthDataset("DIR", split="SPLIT")
batches = DataLoader(samples, batch_size=32, shuffle=True)

batch = next(iter(batches))
image, mask, background = batch["fg_bg"][0], batch["mask"][0], batch["bg"][0]"""

_WEBDATASET = f"""\
import glob, io, numpy, webdataset
from PIL import Image

def decode(name, data):
    return numpy.array(Image.open(io.BytesIO(data))) if name.endswith(("jpg", "png")) else None

def read(name):
    tars = sorted(glob.glob(f"DIR/webdataset/{{name}}-*.tar"))
    return webdataset.WebDataset(tars, shardshuffle=False).decode(decode)

samples = read("{SAMPLES}-SPLIT")
backgrounds = {{b["json"]["id"]: b["image.png"] for b in read("{CLEAN}-backgrounds")}}

sample = next(iter(samples))
image, mask = sample["image.EXTENSION"], sample["mask.png"]
background = backgrounds[sample["json"]["bg_id"]]"""

_COCO = """\
from PIL import Image
from pycocotools.coco import COCO

coco = COCO("DIR/coco/SPLIT/annotations.json")

entry = coco.dataset["images"][0]
image = Image.open("DIR/coco/SPLIT/" + entry["file_name"])
mask = coco.annToMask(coco.imgToAnns[entry["id"]][0])
background = Image.open(f"DIR/coco/assets/backgrounds/{entry['bg_id']}.png")"""

_CROISSANT = """\
import mlcroissant

dataset = mlcroissant.Dataset("DIR/croissant.json")
backgrounds = {b["backgrounds/id"]: b["backgrounds/image"] for b in dataset.records("backgrounds")}

sample = next(iter(dataset.records("samples")))
image, mask = sample["samples/image"], sample["samples/mask"]
background = backgrounds[sample["samples/bg_id"]]"""

_ALL = (
    Snippet("TensorFlow", _TENSORFLOW, "tfrecord"),
    Snippet("Hugging Face", _HUGGING_FACE, "parquet"),
    Snippet("PyTorch", _PYTORCH, "parquet"),
    Snippet("WebDataset", _WEBDATASET, "webdataset"),
    Snippet("COCO", _COCO, "coco"),
    Snippet("Croissant", _CROISSANT, "parquet"),
)


def snippets(formats: Collection[str], split: str, image_format: str) -> tuple[Snippet, ...]:
    """The snippets of a data set.

    Args:
        formats: names of its formats.
        split: name of a split.
        image_format: `jpeg` or `png`, of the composites.
    """
    extension = "jpg" if image_format == "jpeg" else "png"
    return tuple(
        Snippet(s.title, s.code.replace("SPLIT", split).replace("EXTENSION", extension), s.format)
        for s in _ALL
        if s.format in formats
    )
