"""A hold notes up to when the restored books are known to be whole: by the last call in them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0016_give_up_what_never_arrived")]

    operations = [
        migrations.AddField(
            model_name="sendinghold",
            name="known_until",
            field=models.DateTimeField(null=True),
        ),
    ]
