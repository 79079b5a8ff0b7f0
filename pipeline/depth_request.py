"""What the command `depth` is asked for; light, for its help."""

from dataclasses import dataclass, field

from pipeline.option import Place, Switch, Text, Whole, documented, normalise, option
from pipeline.performance import Device

DESCRIPTION = """\
Predicts depth for pictures of any size. For each picture NAME it writes NAME.npy (float32, height x
width of the picture, the model's own values) and NAME.png (16-bit, stretched to the map's own
range), and one sheet.png with pictures and depth side by side. The exit code is 1 when a file had
to be skipped."""

_GROUP = "depth"


@documented
@dataclass(frozen=True)
class DepthRequest:
    """Pictures, the model that predicts their depth, and the folder for the maps.

    Raises:
        SpecError: an option does not take its value.
    """

    images: str = field(metadata=option(_GROUP, Place("DIR_OR_GLOB"), "pictures of any size"))
    output: str = field(metadata=option(_GROUP, Place("DIR"), "folder for the maps"))
    depth_model: str = field(
        default="builtin",
        metadata=option(
            _GROUP, Text("MODEL"), "builtin, onnx:PATH, hf:ID_OR_DIR or torchscript:PATH"
        ),
    )
    threads: int = field(
        default=1, metadata=option(_GROUP, Whole(1), "CPU threads", flag="depth_threads")
    )
    device: str | None = field(
        default=None,
        metadata=option(
            _GROUP,
            Device(),
            "torch device",
            flag="depth_device",
            unset="CUDA where there is one, else cpu",
        ),
    )
    half_precision: bool = field(
        default=False, metadata=option(_GROUP, Switch(), "compute in 16 bits on CUDA")
    )

    def __post_init__(self) -> None:
        normalise(self)
