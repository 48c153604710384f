"""Users, their shops, and links that log in once."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q

from kuaitui.accounts.types import LinkPurpose, Role


class Users(BaseUserManager["User"]):
    """Finds users by name for Django's log-in; making one is `operations.create_user`."""


class User(AbstractBaseUser):
    """Somebody who logs in: a seller or a member of staff."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=30, unique=True)
    username = models.CharField(max_length=80, unique=True)
    display_name = models.CharField(max_length=120)
    role = models.CharField(max_length=16)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    USERNAME_FIELD = "username"
    objects = Users()

    class Meta:
        db_table = "accounts_user"
        constraints = [
            models.CheckConstraint(
                name="user_role_is_known", condition=Q(role__in=[role.value for role in Role])
            ),
            models.CheckConstraint(
                name="user_public_id_has_its_shape",
                condition=Q(public_id__regex=r"^usr_[0-9a-z]{26}$"),
            ),
            # Two spellings of one name would be two users, and one could pass for the other.
            models.CheckConstraint(
                name="username_is_lower_case_without_spaces",
                condition=Q(username__regex=r"^[^\sA-Z]+$"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Membership(models.Model):
    """A seller may see and act for a shop.

    `role` is always `seller` and is part of the foreign key to the user (migration 0001), so the
    database refuses a member of staff with a shop, and a seller with shops who becomes staff.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, db_constraint=False)
    role = models.CharField(max_length=16, default=Role.SELLER.value)
    shop_key = models.BigIntegerField()
    granted_at = models.DateTimeField()

    class Meta:
        db_table = "accounts_membership"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "shop_key"], name="one_membership_per_user_and_shop"
            ),
            models.CheckConstraint(
                name="membership_is_a_sellers", condition=Q(role=Role.SELLER.value)
            ),
        ]
        indexes = [models.Index(fields=["shop_key"], name="accounts_membership_of_shop")]

    def __str__(self) -> str:
        return f"membership {self.pk}"


class OneTimeLink(models.Model):
    """A link that logs in once. Only a hash of its token is kept."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    purpose = models.CharField(max_length=16)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "accounts_one_time_link"
        constraints = [
            models.CheckConstraint(
                name="one_time_link_purpose_is_known",
                condition=Q(purpose__in=[purpose.value for purpose in LinkPurpose]),
            ),
            models.CheckConstraint(
                name="one_time_link_keeps_a_hash_only",
                condition=Q(token_hash__regex=r"^[0-9a-f]{64}$"),  # noqa: S106
            ),
            models.CheckConstraint(
                name="one_time_link_expires_after_it_was_made",
                condition=Q(expires_at__gt=F("created_at")),
            ),
            models.CheckConstraint(
                name="one_time_link_is_used_before_it_expires",
                condition=Q(used_at__isnull=True) | Q(used_at__lt=F("expires_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"one-time link {self.pk}"
