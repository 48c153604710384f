import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# `role` is part of the key a membership refers to: a membership is always a seller's, so a user who
# holds shops cannot become staff, and staff cannot be given a shop, whoever writes the row.
MEMBERSHIP_REFERS_TO_A_SELLER = """
ALTER TABLE accounts_user ADD CONSTRAINT user_and_role_are_one_key UNIQUE (id, role);
ALTER TABLE accounts_membership
    ADD CONSTRAINT membership_user_is_a_seller
    FOREIGN KEY (user_id, role) REFERENCES accounts_user (id, role) ON UPDATE RESTRICT ON DELETE RESTRICT;
"""
MEMBERSHIP_REFERS_TO_A_SELLER_REVERSE = """
ALTER TABLE accounts_membership DROP CONSTRAINT membership_user_is_a_seller;
ALTER TABLE accounts_user DROP CONSTRAINT user_and_role_are_one_key;
"""

# A link opens the door once. Only its use may be written, and only the first time.
LINK_IS_USED_ONCE = """
CREATE FUNCTION accounts_one_time_link_is_used_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_at IS NOT NULL
       OR (NEW.id, NEW.user_id, NEW.purpose, NEW.token_hash, NEW.created_at, NEW.expires_at)
          IS DISTINCT FROM
          (OLD.id, OLD.user_id, OLD.purpose, OLD.token_hash, OLD.created_at, OLD.expires_at)
    THEN
        RAISE EXCEPTION 'a one-time link is used once and never changed'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'one_time_link_is_used_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_time_link_is_used_once BEFORE UPDATE ON accounts_one_time_link
    FOR EACH ROW EXECUTE FUNCTION accounts_one_time_link_is_used_once();
"""
LINK_IS_USED_ONCE_REVERSE = """
DROP TRIGGER one_time_link_is_used_once ON accounts_one_time_link;
DROP FUNCTION accounts_one_time_link_is_used_once();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.CharField(max_length=30, unique=True)),
                ("username", models.CharField(max_length=80, unique=True)),
                ("display_name", models.CharField(max_length=120)),
                ("role", models.CharField(max_length=16)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "accounts_user",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("role__in", ["seller", "reviewer", "approver", "auditor"])
                        ),
                        name="user_role_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("public_id__regex", "^usr_[0-9a-z]{26}$")),
                        name="user_public_id_has_its_shape",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("username__regex", "^[^\\sA-Z]+$")),
                        name="username_is_lower_case_without_spaces",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("role", models.CharField(default="seller", max_length=16)),
                ("shop_key", models.BigIntegerField()),
                ("granted_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "accounts_membership",
                "indexes": [models.Index(fields=["shop_key"], name="accounts_membership_of_shop")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "shop_key"), name="one_membership_per_user_and_shop"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("role", "seller")), name="membership_is_a_sellers"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OneTimeLink",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("purpose", models.CharField(max_length=16)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "db_table": "accounts_one_time_link",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["log_in"])),
                        name="one_time_link_purpose_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("token_hash__regex", "^[0-9a-f]{64}$")),
                        name="one_time_link_keeps_a_hash_only",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("expires_at__gt", models.F("created_at"))),
                        name="one_time_link_expires_after_it_was_made",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at__isnull", True),
                            ("used_at__lt", models.F("expires_at")),
                            _connector="OR",
                        ),
                        name="one_time_link_is_used_before_it_expires",
                    ),
                ],
            },
        ),
        migrations.RunSQL(MEMBERSHIP_REFERS_TO_A_SELLER, MEMBERSHIP_REFERS_TO_A_SELLER_REVERSE),
        migrations.RunSQL(LINK_IS_USED_ONCE, LINK_IS_USED_ONCE_REVERSE),
    ]
