"""Every address: the pages, the API, and whether the server is alive."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from firstread.clinic.api import api
from firstread.clinic.web.condition import readyz


def healthz(_request: HttpRequest) -> HttpResponse:
    """Says that the server answers; opens no database."""
    return HttpResponse("ok\n", content_type="text/plain", headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/v1/", api.urls),
    path("", include("firstread.clinic.web.urls")),
]
handler500 = "firstread.clinic.web.away.server_error"
