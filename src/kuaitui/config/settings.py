"""Settings. Everything a deployment changes comes from the environment; docs/reference lists it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from csp.constants import NONE, SELF
from psycopg.conninfo import conninfo_to_dict

from kuaitui.config.channels import channel_settings
from kuaitui.config.logging import logging_settings
from kuaitui.kit.embedded_postgres import EmbeddedPostgres

PACKAGE = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("KUAITUI_VAR", "var")).absolute()
# Plain HTTP is for a demo or a test on this machine only: no secure cookies, no redirect.
PLAIN_HTTP = os.environ.get("KUAITUI_PLAIN_HTTP") == "1"


def _secret_key() -> str:
    """The key from the environment, or one made once and kept beside the data."""
    if key := os.environ.get("KUAITUI_SECRET_KEY"):
        return key
    path = VAR / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text().strip()


def _database() -> dict[str, object]:
    """Our own PostgreSQL unless `DATABASE_URL` names another."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        embedded = EmbeddedPostgres(VAR / "postgres")
        url = embedded.url() if embedded.password_file.exists() else "postgresql:///kuaitui"
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "kuaitui"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **parts},
    }


SECRET_KEY = _secret_key()
DEBUG = False
# Probes come from the machine itself, and ask under its own names.
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
ALLOWED_HOSTS = [
    *(host for host in os.environ.get("KUAITUI_HOSTS", "").split(",") if host),
    *LOCAL_HOSTS,
]
CSRF_TRUSTED_ORIGINS = [
    origin for origin in os.environ.get("KUAITUI_ORIGINS", "").split(",") if origin
]
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_cotton",
    "axes",
    "kuaitui.kit",
    "kuaitui.audit",
    "kuaitui.ledger",
    "kuaitui.facts",
    "kuaitui.accounts",
    "kuaitui.deposits",
    "kuaitui.payouts",
    "kuaitui.refunds",
    "kuaitui.deductions",
    "kuaitui.reconciliation",
    "kuaitui.notifications",
    "kuaitui.interfaces.design",
    "kuaitui.interfaces.portal",
    "kuaitui.interfaces.console",
]
MIDDLEWARE = [
    "kuaitui.kit.request_log.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "kuaitui.config.access.AccessMiddleware",
]
ROOT_URLCONF = "kuaitui.config.urls"
WSGI_APPLICATION = "kuaitui.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "interfaces" / "design" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "django.templatetags.i18n",
                "kuaitui.interfaces.design.templatetags.design",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# A component sees what it is given, never a page's variable of the same name.
COTTON_ISOLATE_BY_DEFAULT = True

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Trying again while locked out does not make the wait longer: most who do forgot a password.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "kuaitui.kit.web.visitor_address"
AXES_LOCKOUT_CALLABLE = "kuaitui.interfaces.portal.views.session.locked_out"
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "password", "ip_address"]
AXES_ENABLE_ACCESS_FAILURE_LOG = False
# Who came in is a log event with an id; a table of names and addresses has no reader here.
AXES_DISABLE_ACCESS_LOG = True
LOGIN_URL = "/login"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "kuaitui_language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not PLAIN_HTTP
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("KUAITUI_TIME_ZONE", "Asia/Shanghai")

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [PACKAGE / "interfaces" / "design" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_NAME = "kuaitui_session" if PLAIN_HTTP else "__Host-kuaitui_session"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_NAME = "kuaitui_csrf" if PLAIN_HTTP else "__Host-kuaitui_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "kuaitui.interfaces.portal.views.system.csrf_failed"
SECURE_SSL_REDIRECT = not PLAIN_HTTP
# Probes come from the machine itself, without TLS; they carry nothing worth hiding.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^healthz$"]
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 2 * 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
SECURE_HSTS_PRELOAD = not PLAIN_HTTP
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if os.environ.get("KUAITUI_BEHIND_PROXY") == "1":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [NONE],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING = logging_settings()
LOGGING_CONFIG = "logging.config.dictConfig"

# Keys that seal payee account numbers: made on first use; keep a copy apart from the database.
KUAITUI_KEYRING_FILE = os.environ.get("KUAITUI_KEYRING_FILE", str(VAR / "keyring.json"))

# Policy packs by deposit kind; a name from the shipped packs or a path to a file of one's own.
KUAITUI_POLICY_PACK = os.environ.get("KUAITUI_POLICY_PACK", "reference")
# When a channel is stopped by itself: from this share of the sends of ten minutes on, of at least
# that many.
KUAITUI_PAYOUT_TRIP = {
    "sends_min": int(os.environ.get("KUAITUI_TRIP_SENDS_MIN", "20")),
    "unknown_percent": int(os.environ.get("KUAITUI_TRIP_UNKNOWN_PERCENT", "50")),
    "failed_percent": int(os.environ.get("KUAITUI_TRIP_FAILED_PERCENT", "80")),
}
# Where a worker notes its last send, to notice when the database is restored from an older backup.
# Keep it off the disk that such a restore brings back.
KUAITUI_PAYOUT_MARKS = os.environ.get("KUAITUI_PAYOUT_MARKS", str(VAR / "payout_marks"))
# How fast payouts are carried out: "standard", or "brisk" for demo and tests (seconds for minutes).
KUAITUI_PAYOUT_PACE = os.environ.get("KUAITUI_PAYOUT_PACE", "standard")
# When the channels' bills are fetched, on the channels' own clock, and from when on they are late.
KUAITUI_BILLS = {
    "zone": os.environ.get("KUAITUI_BILL_ZONE", "Asia/Shanghai"),
    "fetch_from": os.environ.get("KUAITUI_BILL_FETCH_FROM", "10:00"),
    "late_from": os.environ.get("KUAITUI_BILL_LATE_FROM", "14:00"),
}
# Which channel pays which kind of payee account ("bank_account=bank,alipay_account=alipay"). Where
# none is named, a lot's own channel does if it can.
KUAITUI_PAYERS = dict(
    entry.split("=", 1) for entry in os.environ.get("KUAITUI_PAYERS", "").split(",") if entry
)
# Channels by name; see docs/how-to for the file.
KUAITUI_CHANNELS = channel_settings(os.environ, var=VAR, pace=KUAITUI_PAYOUT_PACE)
