"""What the command `cutout` is asked for; light, for its help."""

from dataclasses import dataclass, field

from pipeline.option import Choice, Place, Switch, Text, Whole, documented, normalise, option

DESCRIPTION = """\
Cuts objects out of photographs. For each picture NAME it writes NAME.png (RGBA, cropped to the
object), one sheet.png with photographs and cut-outs side by side, and report.csv, which says how
sure the model is. A picture with an alpha of its own keeps it. The exit code is 1 when a picture
had to be skipped."""

MODELS = "auto (u2netp where it is installed, else builtin), builtin, u2netp, onnx:PATH or hf:ID"
"""Description of the models of --cutout_model."""

PARTS_HELP = (
    "of several objects in a photograph: keep them together, keep the largest, or make a cut-out"
    " of each"
)
DOUBT_HELP = "what to do with cut-outs that are probably wrong"

_GROUP = "cut-outs"


@documented
@dataclass(frozen=True)
class CutoutRequest:
    """Photographs, the model that cuts them out, and the folder for the cut-outs.

    Raises:
        SpecError: an option does not take its value.
    """

    images: str = field(metadata=option(_GROUP, Place("DIR_OR_GLOB"), "photographs of any size"))
    output: str = field(metadata=option(_GROUP, Place("DIR"), "folder for the cut-outs"))
    cutout_model: str = field(default="auto", metadata=option(_GROUP, Text("MODEL"), MODELS))
    cutout_parts: str = field(
        default="all",
        metadata=option(
            _GROUP,
            Choice(("all", "largest", "separate")),
            PARTS_HELP,
        ),
    )
    cutout_doubt: str = field(
        default="skip",
        metadata=option(_GROUP, Choice(("skip", "keep")), DOUBT_HELP),
    )
    longest_side: int = field(
        default=1024,
        metadata=option(
            _GROUP,
            Whole(32, 16384),
            "photographs are reduced to this size first, in pixels",
            flag="cutout_size",
        ),
    )
    only_masks: bool = field(
        default=False,
        metadata=option(
            _GROUP, Switch(), "write grey masks of the photographs' own size, as --masks takes them"
        ),
    )
    crop: bool = field(
        default=True, metadata=option(_GROUP, Switch(), "crop cut-outs to their object")
    )
    threads: int = field(
        default=1, metadata=option(_GROUP, Whole(1), "CPU threads", flag="cutout_threads")
    )

    def __post_init__(self) -> None:
        normalise(self)
