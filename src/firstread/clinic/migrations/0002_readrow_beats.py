from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='readrow',
            name='beats',
            field=models.BinaryField(null=True),
        ),
    ]
