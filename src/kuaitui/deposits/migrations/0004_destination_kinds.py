"""What a bank or channel needs besides the number; and no table of deposits can be emptied."""

from django.db import migrations, models

# As in 0002, with the columns of today: a destination may be vouched for once, nothing else changes.
KEEPS_ITS_ACCOUNT = """
DROP TRIGGER a_destination_keeps_its_account ON deposits_destination;
CREATE TRIGGER a_destination_keeps_its_account BEFORE UPDATE ON deposits_destination FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.shop_key, OLD.holder_name, OLD.bank_name, OLD.number_blind,
            OLD.tail4, OLD.kind, OLD.bank_code, OLD.is_company, OLD.fingerprint, OLD.added_by,
            OLD.added_at, OLD.usable_from)
        IS DISTINCT FROM
        (NEW.id, NEW.public_id, NEW.shop_key, NEW.holder_name, NEW.bank_name, NEW.number_blind,
            NEW.tail4, NEW.kind, NEW.bank_code, NEW.is_company, NEW.fingerprint, NEW.added_by,
            NEW.added_at, NEW.usable_from)
        OR OLD.verified_at IS NOT NULL
            AND (OLD.verified_at, OLD.verified_by) IS DISTINCT FROM (NEW.verified_at, NEW.verified_by))
    EXECUTE FUNCTION deposits_refuse_change();
"""
KEEPS_ITS_ACCOUNT_BEFORE = """
DROP TRIGGER a_destination_keeps_its_account ON deposits_destination;
CREATE TRIGGER a_destination_keeps_its_account BEFORE UPDATE ON deposits_destination FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.shop_key, OLD.holder_name, OLD.bank_name, OLD.number_blind,
            OLD.tail4, OLD.fingerprint, OLD.added_by, OLD.added_at, OLD.usable_from)
        IS DISTINCT FROM
        (NEW.id, NEW.public_id, NEW.shop_key, NEW.holder_name, NEW.bank_name, NEW.number_blind,
            NEW.tail4, NEW.fingerprint, NEW.added_by, NEW.added_at, NEW.usable_from)
        OR OLD.verified_at IS NOT NULL
            AND (OLD.verified_at, OLD.verified_by) IS DISTINCT FROM (NEW.verified_at, NEW.verified_by))
    EXECUTE FUNCTION deposits_refuse_change();
"""
# Row triggers see no TRUNCATE; these do.
TABLES = (
    "account",
    "channel_payment",
    "deduction",
    "deduction_line",
    "destination",
    "hold",
    "lot",
    "lot_share",
    "lot_taking",
)
NOTHING_IS_EMPTIED = [
    f"CREATE TRIGGER {table}s_are_not_emptied BEFORE TRUNCATE ON deposits_{table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION deposits_refuse_change()"
    for table in TABLES
]
EMPTIED_AGAIN = [f"DROP TRIGGER {table}s_are_not_emptied ON deposits_{table}" for table in TABLES]


class Migration(migrations.Migration):
    dependencies = [
        ("deposits", "0003_deposits_for_assessment"),
    ]

    operations = [
        migrations.AddField(
            model_name="destinationrow",
            name="bank_code",
            field=models.CharField(blank=True, db_default="", default="", max_length=12),
        ),
        migrations.AddField(
            model_name="destinationrow",
            name="is_company",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="destinationrow",
            name="kind",
            field=models.CharField(
                db_default="bank_account",
                default="bank_account",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="destinationrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["bank_account", "alipay_account", "wechat_user"])),
                name="destination_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="destinationrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bank_code__regex", "^([0-9]{12}|[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?$")
                ),
                name="bank_code_is_one",
            ),
        ),
        migrations.RunSQL(KEEPS_ITS_ACCOUNT, KEEPS_ITS_ACCOUNT_BEFORE),
        migrations.RunSQL(NOTHING_IS_EMPTIED, EMPTIED_AGAIN),
    ]
