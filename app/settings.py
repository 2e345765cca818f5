"""Every setting, read from the environment once, in the order a reader asks for them.

Each variable may also be given as NAME_FILE, the path of a file that holds it (Docker secrets).
The README's table of variables is checked against this file by a test.
"""

from __future__ import annotations

import os
from pathlib import Path

import environ

ROOT = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# -- Where we are ------------------------------------------------------------------------------------------
# The address people and SDKs reach us at; it stands in DSNs and mails.
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
# What this process serves: "all", or "ingest" and "dashboard" as two services of one image.
SERVE = env.str("SERVE", default="all")
DATA = Path(env.str("TOCSIN_DATA", default=str(ROOT / ".tocsin")))
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY and os.environ.get("TOCSIN_IMAGE") != "1":
    # `manage.py up` writes a key of its own; this one is for commands that sign nothing.
    SECRET_KEY = "only-for-commands-that-sign-nothing"  # noqa: S105
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# -- Services ----------------------------------------------------------------------------------------------
# Not DATABASE_URL=…%2F…: sockets are written postgres:///tocsin?host=/run/dir&user=tocsin
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://localhost/tocsin")}
DATABASES["default"] |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 60}
if test_name := os.environ.get("PYTEST_DB"):
    DATABASES["default"]["TEST"] = {"NAME": f"test_tocsin_{test_name}"}
# Never call it BROKER_URL: Celery's command line reads that before our settings.
QUEUE_URL = env.str("QUEUE_URL", default="amqp://guest:guest@localhost//")
# Put before the name of every queue and exchange, when several installations share a broker.
QUEUE_PREFIX = env.str("QUEUE_PREFIX", default="")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("REDIS_URL", default="redis://localhost:6379/1"),
        "KEY_PREFIX": QUEUE_PREFIX or "tocsin",
    }
}

# -- Accepting ---------------------------------------------------------------------------------------------
JOURNAL = Path(env.str("JOURNAL", default=str(DATA / "journal")))
# Bytes of accepted requests that may wait for the broker, over all processes of a machine.
JOURNAL_LIMIT = env.int("JOURNAL_LIMIT", default=2 * 1024**3)
# Groups of events (at most 200 each) that may wait in the broker; what is more waits in the journal.
QUEUE_LIMIT = env.int("QUEUE_LIMIT", default=100)
MAX_BODY = env.int("MAX_BODY", default=20 * 1024**2)  # compressed, as received
MAX_ENVELOPE = env.int("MAX_ENVELOPE", default=100 * 1024**2)  # decompressed
MAX_EVENT = env.int("MAX_EVENT", default=1024**2)  # one event's JSON
# Whose X-Forwarded-For to believe: the number of proxies in front of us.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)

# -- Keeping -----------------------------------------------------------------------------------------------
RETENTION_DAYS = env.int("RETENTION_DAYS", default=90)
#: A bundle of the browser SDK for the loader script, which reports by itself when there is none.
BROWSER_SDK = env.str("BROWSER_SDK", default="")

# -- Mail --------------------------------------------------------------------------------------------------
# smtp://user:password@host:587?tls=true. Without it mail is written to a folder and shown under Admin.
MAIL_FOLDER = DATA / "mail"
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "app.notifications.mailbox.MailFolder"
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default="Tocsin <tocsin@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# -- Django ------------------------------------------------------------------------------------------------
ROOT_URLCONF = "app.urls"
ASGI_APPLICATION = "app.asgi.application"
INSTALLED_APPS = [
    "app",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "lucide",
    "rest_framework",
    "template_partials",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"show": "app.web.templatetags.show"},
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "app" / "web" / "static"]
STATIC_ROOT = ROOT / ".static"
# In the image files are collected and named by their content; from a checkout they are found where they are.
WHITENOISE_USE_FINDERS = not STATIC_ROOT.exists()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT.exists()
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Signing in --------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "app.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # people are invited; nobody registers by themselves
ACCOUNT_ADAPTER = "app.accounts.adapter.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
SESSION_COOKIE_AGE = 14 * 86400
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BASE_URL.startswith("https://")
if BASE_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["app.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}

# -- Log ---------------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
