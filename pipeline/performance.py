"""How a job uses a machine: one frozen dataclass."""

import re
from dataclasses import dataclass, field

from pipeline.option import Kind, Refused, Switch, Whole, documented, normalise, option

_GROUP = "performance (never changes composites or masks)"


class Device(Kind):
    """A torch device, such as `cpu`, `cuda` or `cuda:1`."""

    metavar = "DEVICE"

    def accept(self, value: object) -> str:
        """The device's name."""
        if not isinstance(value, str) or not re.fullmatch(
            r"(cpu|cuda|mps|xpu)(:[0-9]{1,3})?", value
        ):
            raise Refused("is unknown; give cpu, cuda or cuda:N")
        return value


@documented
@dataclass(frozen=True)
class Performance:
    """How a job uses a machine; none of it changes composites or masks.

    Every field is an option of the command line and a key of a config file.

    Raises:
        SpecError: an option does not take its value.
    """

    batch_size: int = field(
        default=32,
        metadata=option(
            _GROUP, Whole(1), "samples in a batch of the depth model; 256 and more suit GPUs"
        ),
    )
    threads: int | None = field(
        default=None,
        metadata=option(
            _GROUP,
            Whole(1),
            "CPU threads of the depth model in each worker",
            flag="depth_threads",
            unset="1",
        ),
    )
    device: str | None = field(
        default=None,
        metadata=option(
            _GROUP,
            Device(),
            "torch device of the depth model",
            flag="depth_device",
            unset="CUDA where there is one, else cpu",
        ),
    )
    half_precision: bool = field(
        default=False,
        metadata=option(_GROUP, Switch(), "the depth model computes in 16 bits on CUDA"),
    )
    share_model: bool = field(
        default=False,
        metadata=option(
            _GROUP,
            Switch(),
            "all worker processes of a machine use one copy of the depth model",
        ),
    )

    def __post_init__(self) -> None:
        normalise(self)
