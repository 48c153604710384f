"""Items that one bill tells in several lines are noted when the lines come in."""

import django.db.models.deletion
from django.db import migrations, models

# Adding up a million lines to find the few that belong together costs more than comparing them. So
# it is done once, when they come, and by the database: a comparison that overlooked a number told
# twice would call money paid twice an agreement.
NOTE_REPEATED = """
CREATE FUNCTION reconciliation_note_repeated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO reconciliation_repeated_item (reading_id, event, key)
        SELECT reading_id, event, key FROM added WHERE event <> ''
        GROUP BY reading_id, event, key HAVING count(*) > 1;
    RETURN NULL;
END $$;
CREATE TRIGGER repeated_items_are_noted AFTER INSERT ON reconciliation_line
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_note_repeated();
CREATE TRIGGER repeated_items_never_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_repeated_item
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
INSERT INTO reconciliation_repeated_item (reading_id, event, key)
    SELECT reading_id, event, key FROM reconciliation_line WHERE event <> ''
    GROUP BY reading_id, event, key HAVING count(*) > 1;
"""
UNDO = """
DROP TRIGGER repeated_items_never_change ON reconciliation_repeated_item;
DROP TRIGGER repeated_items_are_noted ON reconciliation_line;
DROP FUNCTION reconciliation_note_repeated;
"""


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0003_items_that_cross_a_day")]

    operations = [
        migrations.CreateModel(
            name="RepeatedItem",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "reading_id", "event", "key",
                        blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                ),
                ("event", models.CharField(max_length=10)),
                ("key", models.CharField(max_length=80)),
                (
                    "reading",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="repeated_items",
                        to="reconciliation.statementreading",
                    ),
                ),
            ],
            options={"db_table": "reconciliation_repeated_item"},
        ),
        migrations.RunSQL(NOTE_REPEATED, UNDO),
    ]  # fmt: skip
