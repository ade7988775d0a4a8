"""The pack folder: its manifest, its checksums, and the shelves it is looked for on."""

from firstread.packs.manifest import (
    About,
    Calibration,
    Conformal,
    DatasetUsed,
    FamiliarityReference,
    Golden,
    Input,
    Label,
    Manifest,
    Measurement,
    MeasurementsModel,
    OperatingPoint,
    Provenance,
    QualityLimits,
    Result,
    Twin,
    open_manifest,
    parse_manifest,
)
from firstread.packs.shelf import find_pack, list_packs
from firstread.packs.sums import pack_sha256, seal, verify
from firstread.packs.twin import Precision, in_precision, network_file
from firstread.packs.write import write_manifest

__all__ = [
    "About",
    "Calibration",
    "Conformal",
    "DatasetUsed",
    "FamiliarityReference",
    "Golden",
    "Input",
    "Label",
    "Manifest",
    "Measurement",
    "MeasurementsModel",
    "OperatingPoint",
    "Precision",
    "Provenance",
    "QualityLimits",
    "Result",
    "Twin",
    "find_pack",
    "in_precision",
    "list_packs",
    "network_file",
    "open_manifest",
    "pack_sha256",
    "parse_manifest",
    "seal",
    "verify",
    "write_manifest",
]
