"""A case says why its finding does not stand, and what was left out of its numbers."""

from collections import Counter

from django.db import migrations, models


def doubts_of_open_cases(apps, schema_editor):
    """What waits for a person gets its verdict; what is decided, a person has decided."""
    case_model, read_model = apps.get_model("clinic", "Case"), apps.get_model("clinic", "ReadRow")
    using = schema_editor.connection.alias
    waiting = case_model.objects.using(using).filter(state__in=("read", "unfit"))
    for case in waiting.only("pk").iterator():
        reads = read_model.objects.using(using).filter(case_sample__case=case, shadow=False)
        doubt = _doubt(list(reads.values_list("body", flat=True)))
        if doubt:
            case_model.objects.using(using).filter(pk=case.pk).update(doubt=doubt)


def _doubt(bodies):
    found = Counter(each for each in map(_doubt_of_one, bodies) if each)
    return found.most_common(1)[0][0] if 2 * found.total() >= len(bodies) and found else ""


def _doubt_of_one(body):
    if body.get("unfit"):
        return "unfit"
    near = body.get("familiarity")
    if near and not near["familiar"]:
        return "wrong_kind" if near["score"] < 0.002 else "unfamiliar"
    return ""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0013_keeping")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="doubt",
            field=models.CharField(
                blank=True,
                choices=[
                    ("unfit", "unfit"),
                    ("wrong_kind", "wrong_kind"),
                    ("unfamiliar", "unfamiliar"),
                    ("uncalibrated", "uncalibrated"),
                ],
                default="",
                help_text="Why the finding does not stand as it is; empty where it does.",
                max_length=16,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="case",
            name="left_out",
            field=models.CharField(
                blank=True,
                default="",
                help_text="How many samples count, and why others do not.",
                max_length=300,
            ),
            preserve_default=False,
        ),
        migrations.RunPython(doubts_of_open_cases, migrations.RunPython.noop),
    ]
