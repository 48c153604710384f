"""The trail is read by time, the newest first, whatever it is about."""

from django.db import migrations

INDEX = "CREATE INDEX audit_event_by_time ON audit_event (at, stream_id, event_no)"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_events")]

    operations = [migrations.RunSQL(INDEX, "DROP INDEX audit_event_by_time")]
