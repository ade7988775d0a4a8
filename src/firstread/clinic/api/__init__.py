"""The JSON API under /api/v1: the same steps as the pages, for programs."""

from __future__ import annotations

from ninja import NinjaAPI

import firstread
from firstread.clinic.api.access import PerPerson
from firstread.clinic.api.cases import router as cases
from firstread.clinic.api.checks import router as checks
from firstread.clinic.api.parse import StrictParser
from firstread.clinic.api.problems import answer_problems

api = NinjaAPI(
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
api.add_router("", cases)
api.add_router("", checks)

__all__ = ["api"]
