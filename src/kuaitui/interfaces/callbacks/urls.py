"""The routes of channels."""

from django.urls import path

from kuaitui.interfaces.callbacks.views import notification

urlpatterns = [path("<str:channel>", notification, name="channel_notification")]
