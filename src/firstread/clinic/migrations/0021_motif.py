"""A case says what its pictures show, where they are another check's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0020_final_answers")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="motif",
            field=models.CharField(
                blank=True,
                default="",
                help_text="What its pictures show, where it is another's.",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="case",
            name="looks_like",
            field=models.CharField(
                blank=True, default="", help_text="The same in words.", max_length=120
            ),
            preserve_default=False,
        ),
    ]
