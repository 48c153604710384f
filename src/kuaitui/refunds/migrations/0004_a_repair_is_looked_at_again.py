"""Another part may come back while the second person confirms: the case is looked at again."""

from django.db import migrations

STEP = "INSERT INTO refunds_transition VALUES ('approved', 'destination_repaired');"
UNDO = """
ALTER TABLE refunds_transition DISABLE TRIGGER transitions_never_change;
DELETE FROM refunds_transition WHERE (from_state, to_state) = ('approved', 'destination_repaired');
ALTER TABLE refunds_transition ENABLE TRIGGER transitions_never_change;
"""


class Migration(migrations.Migration):
    dependencies = [("refunds", "0003_index_what_is_open")]

    operations = [migrations.RunSQL(STEP, UNDO)]
