"""What is measured, against whom, and what is to be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SERVERS = ("flask", "fastapi", "litserve", "bentoml", "mlserver", "ray")
"""The peers that run the same ONNX file."""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One figure to reach."""

    of: Literal["limit", "best peer", "slowest p50", "memory", "start"]
    """`limit`: our throughput over the limit's. `best peer`: over the strongest peer's of the
    round. `slowest p50`: our p50 over the limit's. `memory`: MB of the process tree. `start`:
    seconds from the start of the process to its first answer."""
    value: float

    @property
    def at_most(self) -> bool:
        return self.of in ("slowest p50", "memory", "start")

    def reached(self, measured: float) -> bool:
        return measured <= self.value if self.at_most else measured >= self.value


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report: the same network and the same picture for everybody."""

    key: str
    title: str
    pack: str
    picture: Literal["small", "large"]
    clients: int = 8
    limit: bool = True
    """Whether the limit is measured beside the servers."""
    peers: tuple[str, ...] = ()
    goals: tuple[Goal, ...]
    rounds: int | None = None
    """More or fewer than the others: starts are short, and vary."""
    press: bool = True
    """Whether clients press the server; else it is only started."""


ROWS = (
    Row(
        key="small",
        title="AllDS2020's network, a JPEG of 257x257 and 16 KB, 8 clients",
        pack="allds2020",
        picture="small",
        peers=SERVERS,
        goals=(Goal(of="limit", value=0.85), Goal(of="best peer", value=1.3)),
    ),
    Row(
        key="large",
        title="The same, a JPEG of 2592x1944 and 1.1 MB, 8 clients",
        pack="allds2020",
        picture="large",
        peers=SERVERS,
        goals=(Goal(of="limit", value=0.90), Goal(of="best peer", value=4.0)),
    ),
    Row(
        key="resnet",
        title="ResNet-18 at 224x224, the small JPEG, 8 clients",
        pack="resnet-18",
        picture="small",
        goals=(Goal(of="limit", value=0.92),),
    ),
    Row(
        key="blood-cell",
        title="Our `blood-cell` with findings, set, familiarity and evidence, 8 clients; "
        "the limit is its bare network",
        pack="blood-cell",
        picture="small",
        goals=(Goal(of="limit", value=0.85), Goal(of="memory", value=110)),
    ),
    Row(
        key="one-client",
        title="AllDS2020's network, the small JPEG, one client",
        pack="allds2020",
        picture="small",
        clients=1,
        goals=(Goal(of="slowest p50", value=2.0),),
    ),
    Row(
        key="start",
        title="From the start of the process to its first answer, `blood-cell`",
        pack="blood-cell",
        picture="small",
        limit=False,
        press=False,
        rounds=9,
        goals=(Goal(of="start", value=0.5),),
    ),
    Row(
        key="tensorflow",
        title="The seeds' way: Keras in Flask's own server, the same network and small JPEG, "
        "8 clients",
        pack="allds2020",
        picture="small",
        limit=False,
        peers=("tensorflow",),
        goals=(Goal(of="best peer", value=25),),
    ),
)
