"""The recipe of a data set: with the plan, all that a worker needs to make and write samples."""

from dataclasses import dataclass

from transforms.formats import FORMATS
from transforms.formats.base import Folder, Need
from transforms.formats.schema import Schema
from transforms.models.depth.base import DepthMeaning
from transforms.pixels.size import Size
from transforms.scenes.scene import SceneOptions

BLOCK_BYTES = 64 * 2**20
"""Largest number of pixels in a block of more than one sample."""

_BYTES_PER_PIXEL = 8  # Composite 3, mask 1, depth 4.


@dataclass(frozen=True)
class DepthSettings:
    """Which depth model runs and how.

    Attributes:
        model: `builtin`, `onnx:PATH`, `hf:ID_OR_DIR` or `torchscript:PATH`.
        meaning: what its numbers say.
        threads: CPU threads of one model.
        device: a torch device such as `cuda:0`, or None for CUDA where there is one, else the CPU.
        half_precision: whether CUDA computes in 16 bits.
        share_model: whether all worker processes of a machine use one copy of the model.
        digest: what `models.digest` must say where the model is loaded; None for anything.
        passes: passes over each clean background, whose maps layered depth is composed of; None
            where depth is predicted from composites.
    """

    model: str
    meaning: DepthMeaning
    threads: int = 1
    device: str | None = None
    half_precision: bool = False
    share_model: bool = False
    digest: str | None = None
    passes: int | None = None


@dataclass(frozen=True)
class Recipe:
    """How the samples of a plan are made, encoded and written; it travels with every step.

    Attributes:
        root: the data set's folder; its plan is there.
        formats: names of the formats.
        image_size: size of the composites.
        image_format: `jpeg` or `png`, for the composites.
        quality: JPEG quality, 1 to 100; also for the pictures of the batch zips.
        depth: the depth model, or None without depth.
        depth_bits: significant bits of a depth map, 1 to 16, kept at the top of 16-bit pixels.
        allowed_failures: failed samples from which on the job stops.
        batch_size: samples in a block at most; also the batch size of the depth model.
        progress_folder: local folder for the counters behind the progress line, or None.
        categories: names of the categories in the order of their labels; empty where the samples
            have none.
        strict: whether a background that cannot be prepared stops the job.
        scenes: which scenes the samples are; None where a sample is one object as it was placed.
        zip_depth_size: size of the depth maps in batch zips, None for that of the composites.
        key_prefix: what the keys of samples begin with.
    """

    root: str
    formats: tuple[str, ...]
    image_size: Size
    image_format: str
    quality: int
    depth: DepthSettings | None
    depth_bits: int
    allowed_failures: int
    batch_size: int = 32
    progress_folder: str | None = None
    categories: tuple[str, ...] = ()
    strict: bool = False
    scenes: SceneOptions | None = None
    zip_depth_size: Size | None = None
    key_prefix: str = ""

    @property
    def folder(self) -> Folder:
        """The data set's folder."""
        return Folder(self.root)

    @property
    def plan_path(self) -> str:
        """File of the plan."""
        return self.folder.plan_path

    @property
    def schema(self) -> Schema:
        """What decides the fields of a sample."""
        return Schema(
            self.image_size,
            self.image_format,
            self.depth is not None,
            self.categories,
            self.layered,
            self.scenes is not None,
            self.random_crops,
            self.key_prefix,
        )

    @property
    def layered(self) -> bool:
        """Whether depth is composed of layers."""
        return self.depth is not None and self.depth.passes is not None

    @property
    def random_crops(self) -> bool:
        """Whether samples show parts of their backgrounds; else they show their middle."""
        return self.scenes is not None and self.scenes.random_crops

    @property
    def block_size(self) -> int:
        """Samples in a block: `batch_size`, and fewer where they would exceed `BLOCK_BYTES`."""
        sample = self.image_size.pixels * _BYTES_PER_PIXEL
        return max(1, min(self.batch_size, BLOCK_BYTES // sample))

    @property
    def near_is_large(self) -> bool:
        """Whether a larger depth value means nearer; the zips show near bright."""
        return self.depth is None or self.depth.meaning.near_is_large

    @property
    def needs(self) -> frozenset[Need]:
        """What the formats need of a sample besides its files."""
        return frozenset(need for name in self.formats for need in FORMATS[name].needs)
