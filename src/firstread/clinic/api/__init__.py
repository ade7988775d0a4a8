"""The JSON API under /api/v1: the same steps as the pages, for programs."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

import firstread
from firstread.clinic.api import cases, checks, corrections
from firstread.clinic.api.access import PerPerson
from firstread.clinic.api.parse import StrictParser
from firstread.clinic.api.problems import MEDIA_TYPE, answer_problems


class Api(NinjaAPI):
    """NinjaAPI whose description says of refusals that they are problems, as they are."""

    def get_openapi_schema(self, **given: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**given)
        for methods in schema["paths"].values():
            for operation in methods.values():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        answer["content"] = {MEDIA_TYPE: content["application/json"]}
        return schema


api = Api(
    title="Firstread",
    version=firstread.__version__,
    description="A first read of every sample within seconds, the final word by a specialist. "
    "Decision support for research; a qualified person decides.",
    urls_namespace="api",
    openapi_url="/openapi.json",
    docs_url=None,  # its page loads scripts from elsewhere
    parser=StrictParser(),
    throttle=[PerPerson()],
)
answer_problems(api)
api.add_router("", cases.router)
api.add_router("", corrections.router)
api.add_router("", checks.router)

__all__ = ["api"]
