"""A row of the outbox is of any channel: what it sends is its payload, and nobody need be told."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import JSONObject


def _to_payload(apps: Any, _editor: Any) -> None:
    rows = apps.get_model("clinic", "Outgoing").objects
    rows.update(
        payload=JSONObject(subject=F("subject"), text=F("text")),
        payload_kind="letter",
        waits_since=F("created_at"),
    )


def _from_payload(apps: Any, _editor: Any) -> None:
    rows = apps.get_model("clinic", "Outgoing").objects
    rows.update(
        subject=KeyTextTransform("subject", "payload"), text=KeyTextTransform("text", "payload")
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0003_readrow_case_sample")]

    operations = [
        migrations.AddField("outgoing", "payload", models.JSONField(default=dict)),
        migrations.AddField(
            "outgoing", "payload_kind", models.CharField(default="", max_length=16)
        ),
        migrations.AddField("outgoing", "waits_since", models.DateTimeField(null=True)),
        migrations.RunPython(_to_payload, _from_payload),
        # With a default they can come back.
        migrations.AlterField("outgoing", "subject", models.CharField(default="", max_length=200)),
        migrations.AlterField("outgoing", "text", models.TextField(default="")),
        migrations.RemoveField("outgoing", "subject"),
        migrations.RemoveField("outgoing", "text"),
    ]
