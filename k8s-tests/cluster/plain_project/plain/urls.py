from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"plain, with {User.objects.count()} users")


urlpatterns = [path("", home)]
