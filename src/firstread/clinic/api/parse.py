"""A request's body as values: strict JSON, and a case's samples as multipart form or JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from ninja.errors import ValidationError
from ninja.parser import Parser
from pydantic import BaseModel, Field
from pydantic import ValidationError as Invalid

from firstread.clinic.api.edge import EdgeIn
from firstread.clinic.api.problems import Refused
from firstread.clinic.api.schemas import NewCase, Number
from firstread.clinic.steps.files import Incoming

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Images:
    """A case's fields and its samples, from a form."""

    fields: NewCase
    samples: tuple[Incoming, ...]
    edge: EdgeIn | None = None

    def plain(self) -> Any:
        """What makes two such requests the same."""
        held = [[each.name, hashlib.sha256(each.data).hexdigest()] for each in self.samples]
        plain = [self.fields.model_dump(), held]
        return plain if self.edge is None else [*plain, self.edge.model_dump()]


class NewMeasurements(NewCase):
    """A row of measurements; null is a measurement that was not made."""

    measurements: Annotated[
        dict[Annotated[str, Field(max_length=64)], Number | None],
        Field(min_length=1, max_length=1000),
    ]
    edge: EdgeIn | None = None


class StrictParser(Parser):
    """Parameters of an address, one value to a name."""

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """One value to a name; ninja itself would silently take the last."""
        doubled = [name for name in data if name not in list_fields and len(data.getlist(name)) > 1]
        if doubled:
            raise Refused(422, f"The parameter '{doubled[0][:40]}' is given twice. Give it once.")
        return super().parse_querydict(data, list_fields, request)


def new_case(request: HttpRequest) -> Images | NewMeasurements:
    """What POST /cases brought: a multipart form with samples, or JSON with measurements."""
    refuse_too_large(request)
    media_type = _media_type(request)
    if media_type == "application/json":
        return validated(NewMeasurements, json_body(request))
    if media_type == "multipart/form-data":
        return _form(request)
    raise Refused(
        415,
        "Send samples as multipart/form-data, or a row of measurements as application/json.",
    )


def body_of(request: HttpRequest, model: type[Model]) -> Model:
    """The JSON body as that model. ninja's own parser takes NaN, and any media type."""
    refuse_too_large(request)
    if _media_type(request) != "application/json":
        raise Refused(415, "Send the body as application/json.")
    return validated(model, json_body(request))


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """What the OpenAPI document says of such a body."""
    return {
        "required": True,
        "content": {"application/json": {"schema": plain_schema(model)}},
    }


def plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema with each part in its place: `$defs` have none in an OpenAPI document."""
    whole = model.model_json_schema()
    parts = whole.pop("$defs", {})

    def inlined(value: Any) -> Any:
        if isinstance(value, list):
            return [inlined(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return inlined(parts[value["$ref"].rpartition("/")[2]])
        return {name: inlined(each) for name, each in value.items()}

    found: dict[str, Any] = inlined(whole)
    return found


def json_body(request: HttpRequest) -> Any:
    """The body as JSON's standard has it: no NaN or Infinity, one value to a name, real text."""
    try:
        body = request.body
    except RequestDataTooBig:
        raise Refused(413, "This JSON is too large. Send fewer values at a time.") from None
    return _strict_json(body, what="body")


def _strict_json(text: str | bytes, *, what: str) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
        # "\ud800" is JSON and no text: it cannot be stored, nor sent back.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(
            400,
            f"The {what} is not JSON, or holds NaN, Infinity, a name twice, or characters that no "
            "text has. Correct it.",
        ) from None
    return value


def validated(model: type[Model], value: Any) -> Model:
    """The value as that model, or a refusal that names the field."""
    try:
        return model.model_validate(value)
    except Invalid as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise ValidationError(
            [
                {"type": each["type"], "loc": ("body", *each["loc"]), "msg": each["msg"]}
                for each in found
            ]
        ) from None


def refuse_too_large(request: HttpRequest) -> None:
    most_mb = settings.FIRSTREAD.server.upload_mb
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        raise Refused(400, "The header Content-Length holds no number.") from None
    if length > most_mb * 2**20:
        raise Refused(
            413, f"The request is larger than {most_mb} MB. Send fewer samples at a time."
        )


def _form(request: HttpRequest) -> Images:
    try:
        form, files = request.POST, request.FILES
    except (TooManyFilesSent, TooManyFieldsSent, RequestDataTooBig):
        raise Refused(
            413,
            f"At most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} samples are taken at a time. "
            "Send the others in another request.",
        ) from None
    except (MultiPartParserError, UnicodeDecodeError):
        raise Refused(400, "The form is cut off or damaged. Send it again.") from None
    unknown = [name for name in files if name != "sample"]
    if unknown:
        raise Refused(422, "Samples go into the field 'sample', once for each file.")
    doubled = [name for name in form if len(form.getlist(name)) > 1]
    if doubled:
        raise Refused(422, f"The field '{doubled[0][:40]}' is given twice. Give it once.")
    plain = form.dict()
    told = plain.pop("edge", None)
    edge = None if told is None else validated(EdgeIn, _strict_json(told, what="field 'edge'"))
    fields = validated(NewCase, plain)
    samples = tuple(
        Incoming(data=file.read(), name=file.name or "") for file in files.getlist("sample")
    )
    if not samples:
        raise Refused(422, "There is no sample. Put one or more files into the field 'sample'.")
    return Images(fields=fields, samples=samples, edge=edge)


def _media_type(request: HttpRequest) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().casefold()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice")
    return found
