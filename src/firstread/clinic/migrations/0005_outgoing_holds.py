"""What every row of the outbox must hold, and how it is found."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def _mails_alone(apps: Any, _editor: Any) -> None:
    """An earlier version could not deliver what is no mail, nor keep it."""
    apps.get_model("clinic", "Outgoing").objects.exclude(channel="mail").delete()


class Migration(migrations.Migration):
    dependencies = [("clinic", "0004_outgoing_by_channel")]

    operations = [
        migrations.RemoveIndex("outgoing", "outgoing_due"),
        migrations.AlterField(
            "outgoing",
            "channel",
            models.CharField(max_length=16, help_text="One of connect/channels.py."),
        ),
        migrations.AlterField("outgoing", "address", models.CharField(max_length=500)),
        migrations.AlterField(
            "outgoing", "payload", models.JSONField(help_text="What the channel sends.")
        ),
        migrations.AlterField("outgoing", "payload_kind", models.CharField(max_length=16)),
        migrations.AlterField(
            "outgoing",
            "to",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="outgoing",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "outgoing",
            "waits_since",
            models.DateTimeField(help_text="Written, or sent again by a person."),
        ),
        migrations.AddIndex(
            "outgoing",
            models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["channel", "retry_at"],
                name="outgoing_due",
            ),
        ),
        migrations.AddIndex(
            "outgoing", models.Index(fields=["to", "-id"], name="outgoing_of_person")
        ),
        migrations.AddIndex(
            "outgoing",
            models.Index(fields=["to", "state", "-id"], name="outgoing_of_person_by_state"),
        ),
        migrations.AddIndex(
            "outgoing", models.Index(fields=["state", "-id"], name="outgoing_by_state")
        ),
        migrations.AddIndex(
            "outgoing", models.Index(fields=["channel", "-id"], name="outgoing_by_channel")
        ),
        migrations.RunPython(migrations.RunPython.noop, _mails_alone),
    ]
