"""The views of Celery tutorials for Django: one that says delay(), one that asks the result backend. No login."""

import json
from http import HTTPStatus

from celery.result import AsyncResult
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from peers.celery_redis_results import app


@csrf_exempt
@require_POST
def start(request: HttpRequest) -> JsonResponse:
    task = app.tasks[json.loads(request.body)["task"]].delay()
    return JsonResponse({"id": task.id}, status=HTTPStatus.ACCEPTED)


def status(request: HttpRequest, id: str) -> JsonResponse:
    result = AsyncResult(id, app=app)
    return JsonResponse({"state": result.status.lower(), "result": result.result if result.successful() else None})


urlpatterns = [path("api/runs/", start), path("api/runs/<str:id>/", status)]
