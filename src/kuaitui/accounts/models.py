"""Users and what they may do."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, UserManager
from django.db import models


class User(AbstractBaseUser):
    """Somebody who logs in: a seller or a member of staff."""

    id = models.BigAutoField(primary_key=True)
    username = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "username"
    objects = UserManager["User"]()

    class Meta:
        db_table = "accounts_user"

    def __str__(self) -> str:
        return f"user {self.pk}"
