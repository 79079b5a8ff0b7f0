"""What the command `view` is asked for; light, for its help."""

from dataclasses import dataclass, field

from pipeline.option import Whole, normalise, option

DESCRIPTION = """\
Shows a finished data set in a browser: filters, sorts, enlarges and compares its samples, and
collects the keys of those to be left out. It starts a server that only this machine reaches, says
its address, and runs until it is interrupted. It writes nothing into the data set."""


@dataclass(frozen=True)
class ViewRequest:
    """Where the server listens.

    Raises:
        SpecError: an option does not take its value.
    """

    port: int = field(
        default=0,
        metadata=option("server", Whole(0, 65535), "port on 127.0.0.1; 0 for one that is free"),
    )

    def __post_init__(self) -> None:
        normalise(self)
