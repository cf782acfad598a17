from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from example.demos import DEMOS


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A form for every task."""
    return render(request, "example/home.html", {"demos": DEMOS, "upload_limit": settings.UPLOAD_LIMIT // 1024 // 1024})
