"""What was deducted may be given back, once; money is set aside for what it may be deducted from."""

import django.db.models.deletion
from django.db import migrations, models

GUARDS = """
ALTER TABLE deposits_lot_giving ADD CONSTRAINT a_giving_belongs_to_a_lot
    FOREIGN KEY (account_id, lot_number) REFERENCES deposits_lot (account_id, number);
CREATE TRIGGER givings_never_change BEFORE UPDATE OR DELETE ON deposits_lot_giving
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER deduction_returns_never_change BEFORE UPDATE OR DELETE ON deposits_deduction_return
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER lot_givings_are_not_emptied BEFORE TRUNCATE ON deposits_lot_giving
    EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER deduction_returns_are_not_emptied BEFORE TRUNCATE ON deposits_deduction_return
    EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER a_hold_keeps_its_kind BEFORE UPDATE ON deposits_hold FOR EACH ROW
    WHEN (OLD.kind IS DISTINCT FROM NEW.kind) EXECUTE FUNCTION deposits_refuse_change();

CREATE FUNCTION deposits_give_to_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE deposits_lot SET deducted_minor = deducted_minor - NEW.amount_minor
        WHERE account_id = NEW.account_id AND number = NEW.lot_number;
    RETURN NULL;
END $$;
CREATE TRIGGER givings_move_lots AFTER INSERT ON deposits_lot_giving
    FOR EACH ROW EXECUTE FUNCTION deposits_give_to_lot();

CREATE FUNCTION deposits_check_deduction_return() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken text := CASE
        WHEN NEW.amount_minor > (SELECT amount_minor FROM deposits_deduction
            WHERE id = NEW.deduction_id) THEN 'no_more_is_given_back_than_was_deducted'
        WHEN NEW.to_available_minor <> (SELECT COALESCE(sum(giving.amount_minor), 0)
            FROM deposits_lot_giving AS giving JOIN deposits_deduction AS deduction
                ON deduction.account_id = giving.account_id
                AND deduction.public_id = giving.reference
            WHERE deduction.id = NEW.deduction_id) THEN 'what_is_free_again_is_in_lots_again'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'the return of deduction % breaks %', NEW.deduction_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION deposits_check_giving() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM deposits_deduction_return AS back
            JOIN deposits_deduction AS deduction ON deduction.id = back.deduction_id
        WHERE deduction.account_id = NEW.account_id AND deduction.public_id = NEW.reference
            AND back.to_available_minor = (SELECT sum(amount_minor) FROM deposits_lot_giving
                WHERE account_id = NEW.account_id AND reference = NEW.reference))
    THEN
        RAISE EXCEPTION 'a giving to lot % breaks a_giving_is_part_of_a_return', NEW.lot_number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_giving_is_part_of_a_return';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER givings_are_part_of_a_return AFTER INSERT ON deposits_lot_giving
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deposits_check_giving();
CREATE CONSTRAINT TRIGGER deduction_returns_add_up AFTER INSERT ON deposits_deduction_return
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deposits_check_deduction_return();
"""
UNDO = """
DROP TRIGGER deduction_returns_add_up ON deposits_deduction_return;
DROP TRIGGER givings_are_part_of_a_return ON deposits_lot_giving;
DROP TRIGGER givings_move_lots ON deposits_lot_giving;
DROP TRIGGER a_hold_keeps_its_kind ON deposits_hold;
DROP TRIGGER deduction_returns_are_not_emptied ON deposits_deduction_return;
DROP TRIGGER lot_givings_are_not_emptied ON deposits_lot_giving;
DROP TRIGGER deduction_returns_never_change ON deposits_deduction_return;
DROP TRIGGER givings_never_change ON deposits_lot_giving;
DROP FUNCTION deposits_check_deduction_return, deposits_check_giving, deposits_give_to_lot;
ALTER TABLE deposits_lot_giving DROP CONSTRAINT a_giving_belongs_to_a_lot;
"""


class Migration(migrations.Migration):
    dependencies = [("deposits", "0009_payments_that_come_back")]

    operations = [
        migrations.CreateModel(
            name="DeductionReturn",
            fields=[
                (
                    "deduction",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="given_back",
                        serialize=False,
                        to="deposits.deduction",
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("off_the_debt_minor", models.BigIntegerField()),
                ("to_available_minor", models.BigIntegerField()),
                ("decided_by", models.CharField(max_length=80)),
                ("decided_at", models.DateTimeField()),
            ],
            options={"db_table": "deposits_deduction_return"},
        ),
        migrations.CreateModel(
            name="LotGiving",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "lot_number",
                        "reference",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="givings",
                        to="deposits.depositaccount",
                    ),
                ),
                ("lot_number", models.IntegerField()),
                ("reference", models.CharField(max_length=80)),
                ("amount_minor", models.BigIntegerField()),
            ],
            options={"db_table": "deposits_lot_giving"},
        ),
        migrations.AddField(
            model_name="deposithold",
            name="kind",
            field=models.CharField(db_default="application", default="application", max_length=20),
        ),
        migrations.AddConstraint(
            model_name="deposithold",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["application", "deduction"])),
                name="hold_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="deductionreturn",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    amount_minor=models.F("off_the_debt_minor") + models.F("to_available_minor"),
                    off_the_debt_minor__gte=0,
                    to_available_minor__gte=0,
                    amount_minor__gt=0,
                ),
                name="deduction_return_is_the_sum_of_its_parts",
            ),
        ),
        migrations.AddConstraint(
            model_name="lotgiving",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="giving_amount_is_positive"
            ),
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
