"""Signing in and out; in the demo the page says who there is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from firstread.clinic.accounts.demo import DEMO_PASSWORD, DEMO_PEOPLE
from firstread.clinic.web.access import Refusal


class SignIn(LoginView):
    """The door for people."""

    template_name = "clinic/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if settings.FIRSTREAD.demo:
            context |= {"demo_password": DEMO_PASSWORD, "demo_people": DEMO_PEOPLE}
        return context


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None
) -> HttpResponse:
    """What django-axes shows after too many wrong passwords."""
    shown = Refusal(
        title="Too many attempts",
        sentence="Wait a quarter of an hour, then try again. "
        "Your operator can set a new password for you.",
    )
    return render(request, "clinic/refusal.html", {"page": shown}, status=429)


sign_in = SignIn.as_view()
sign_out = LogoutView.as_view(http_method_names=["post"])
