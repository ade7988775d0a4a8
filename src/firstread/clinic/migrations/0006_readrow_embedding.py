from django.db import migrations, models


class Migration(migrations.Migration):
    """A column that may be empty: no row is written anew, however many there are."""

    dependencies = [
        ('clinic', '0005_outgoing_holds'),
    ]

    operations = [
        migrations.AddField(
            model_name='readrow',
            name='embedding',
            field=models.BinaryField(null=True),
        ),
    ]
