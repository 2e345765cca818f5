from django.apps import AppConfig


class Tocsin(AppConfig):
    name = "app"
    default_auto_field = "django.db.models.BigAutoField"
