"""The server of AllDS2020, for its clients on a Raspberry Pi, in HIAS and in VR."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from firstread.domain.errors import BadRequest, UnreadableSample
from firstread.edge.serve.describe import BINARY, answered, content, given
from firstread.edge.serve.protocols.chosen import chosen_pack
from firstread.edge.serve.protocols.multipart import is_form, parts_of
from firstread.edge.serve.protocols.refusals import said_by
from firstread.edge.serve.wire import Answer, Asked, Route, as_json

if TYPE_CHECKING:
    from firstread.edge.serve.warm import WarmPacks

_TAG = "AllDS2020"
_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")


Word = Literal["Positive", "Negative"]


class Classified(Struct):
    """What was found, in the words of AllDS2020."""

    Response: Literal["OK"]
    Message: Word
    Classification: Literal[0, 1]
    Diagnosis: Word
    """The clients of June 2020 and later look at this word and at nothing else."""


class Failed(Struct):
    """Why nothing was found."""

    Response: Literal["FAILED"]
    Message: str


def refused(status: int, sentence: str) -> Answer:
    """A refusal as AllDS2020 writes it."""
    return as_json(Failed(Response="FAILED", Message=sentence), status=status)


def _inference(asked: Asked, packs: WarmPacks, *, default_pack: str | None) -> Answer:
    """Classify the picture in the body; its Content-Type is not believed.

    AllDS2020's own client calls every picture image/jpeg and sends PNG.
    """
    return _classified(_picture(asked), packs, default_pack=default_pack)


def _picture(asked: Asked) -> bytes:
    content_type = asked.headers.get("content-type", "")
    if not is_form(content_type):
        return asked.body
    parts = parts_of(asked.body, content_type=content_type)
    for part in parts:
        if part.name == "file":
            return part.data
    raise BadRequest("The form has no 'file'. Send the picture as 'file', or as the whole body.")


def _vr_inference(
    asked: Asked, packs: WarmPacks, *, default_pack: str | None, pictures: Path | None
) -> Answer:
    """Classify the id-th picture of the folder, from 1 on in the order of their names."""
    if pictures is None:
        raise BadRequest(
            "This reader has no test pictures. Start it with --vr-pictures FOLDER.", status=404
        )
    number = asked.parts["id"]
    files = numbered_pictures(pictures)
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise BadRequest("The id of a test picture is a number from 1 on.")
    if not 1 <= int(number) <= len(files):
        raise BadRequest(
            f"There is no test picture {int(number)}. There are {len(files)}, counted from 1.",
            status=404,
        )
    try:
        data = files[int(number) - 1].read_bytes()
    except OSError:
        raise UnreadableSample(
            "This test picture cannot be opened. Check its rights on the reader's machine."
        ) from None
    return _classified(data, packs, default_pack=default_pack)


def numbered_pictures(folder: Path) -> list[Path]:
    """The pictures of the folder, sorted by name; hidden files and what is no picture left out."""
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()
        )
    except OSError:
        return []


def _classified(data: bytes, packs: WarmPacks, *, default_pack: str | None) -> Answer:
    name = chosen_pack(
        packs, asked=None, default=default_pack, how="by another protocol (see /docs)"
    )
    manifest = packs.manifest(name)
    if not any(each.positive for each in manifest.answers):
        raise BadRequest(
            f"The pack {name} has no positive finding to look for. Start the reader with another "
            "--default-pack."
        )
    read = packs.reader(name).read(data).read
    if not read.verdict.names_finding:
        # Its clients know two answers. Where no finding stands, neither is given.
        raise UnreadableSample(f"{read.verdict.says}. {read.verdict.why}")
    word: Word = "Positive" if read.alarms else "Negative"
    said = as_json(
        Classified(
            Response="OK", Message=word, Classification=1 if read.alarms else 0, Diagnosis=word
        )
    )
    return Answer(body=said.body, pack=name, reads=1)


_REFUSALS = {
    400: "The form has no file, or nothing says which pack should read.",
    404: "There is no such pack, or no such test picture.",
    413: "The picture is larger than this reader takes.",
    422: "The picture cannot be read, or is unfit to be read by a model.",
    503: "The pack is damaged, or more requests wait than this reader takes.",
}
_FORM = {"type": "object", "properties": {"file": BINARY}, "required": ["file"]}
_PICTURE = (
    content(BINARY, media_type="image/jpeg")
    | content(BINARY, media_type="image/png")
    | content(_FORM, media_type="multipart/form-data")
)
_READ = answered(content(Classified), says="Read.", refused=_REFUSALS, form=Failed)
_WHICH = given("id", "path", "Which picture of --vr-pictures, counted from 1.")


def routes(*, default_pack: str | None, vr_pictures: Path | None) -> tuple[Route, ...]:
    """Its two addresses, read with `default_pack`, else with the only pack."""
    inference = functools.partial(_inference, default_pack=default_pack)
    vr_inference = functools.partial(_vr_inference, default_pack=default_pack, pictures=vr_pictures)
    return (
        Route(
            method="POST",
            path="/Inference",
            handler=said_by(inference, refused),
            reads=True,
            refuse=refused,
            summary="Say of a picture whether it is positive",
            tag=_TAG,
            describe=_READ | {"requestBody": {"required": True, "content": _PICTURE}},
        ),
        Route(
            method="POST",
            path="/VRInference/{id}",
            handler=said_by(vr_inference, refused),
            reads=True,
            refuse=refused,
            summary="Say of a test picture whether it is positive",
            tag=_TAG,
            describe=_READ | {"parameters": [_WHICH]},
        ),
    )
