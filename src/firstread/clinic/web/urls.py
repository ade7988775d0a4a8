"""The addresses of the pages."""

from __future__ import annotations

from django.urls import path

from firstread.clinic.web import (
    audit,
    case,
    condition,
    correct,
    events,
    outbox,
    packs,
    people,
    put_in,
    samples,
    sign_in,
    worklist,
)

urlpatterns = [
    path("", worklist.cases, name="worklist"),
    path("search", worklist.search, name="search"),
    path("sign-in", sign_in.sign_in, name="sign-in"),
    path("sign-out", sign_in.sign_out, name="sign-out"),
    path("cases/<uuid:case_id>", case.case_page, name="case"),
    path("cases/<uuid:case_id>/stamp", case.stamp, name="case-stamp"),
    path("cases/<uuid:case_id>/answer", case.answer, name="answer"),
    path("cases/<uuid:case_id>/take-back", case.take_back, name="take-back"),
    path("cases/<uuid:case_id>/amend", case.amend, name="amend"),
    path("cases/<uuid:case_id>/correct", correct.correct, name="correct"),
    path("cases/<uuid:case_id>/withdraw", correct.withdraw, name="withdraw"),
    path("cases/<uuid:case_id>/reinstate", correct.reinstate, name="reinstate"),
    path("samples/<int:case_sample>/image", samples.image, name="image"),
    path("samples/<int:case_sample>/thumbnail", samples.thumbnail, name="thumbnail"),
    path(
        "samples/<int:case_sample>/evidence/<int:place>.png", samples.evidence_map, name="evidence"
    ),
    path("samples/<int:case_sample>/trace/<int:level>/<int:number>", samples.tile, name="tile"),
    path("samples/<int:case_sample>/beats", samples.beats, name="beats"),
    path("samples/<int:case_sample>/stretches", samples.stretches, name="stretches"),
    path("cases/<uuid:case_id>/reread", case.read_again, name="reread"),
    path("put-in", put_in.put_in, name="put-in"),
    path("outbox", outbox.outbox, name="outbox"),
    path("outbox/<int:number>/resend", outbox.resend, name="resend"),
    path("people", people.people, name="people"),
    path("people/<int:person_id>", people.change, name="person"),
    path("checks", people.checks, name="checks"),
    path("checks/<slug:name>", people.check, name="check"),
    path("packs", packs.packs, name="packs"),
    path("packs/<str:name>", packs.pack, name="pack"),
    path("packs/<str:name>/<str:file>", packs.picture, name="pack-picture"),
    path("audit", audit.trail, name="audit"),
    path("condition", condition.shown, name="condition"),
    path("events", events.events, name="events"),
]
