import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The way back from a sample to its reads is closed; the table stays as it is."""

    dependencies = [
        ('clinic', '0002_readrow_beats'),
    ]

    operations = [
        migrations.AlterField(
            model_name='readrow',
            name='case_sample',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='clinic.casesample'),
        ),
    ]
