import logging
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from example.forms import FeedbackForm
from example.problems import DATABASE_DOWN
from example.tasks.email import send_confirmation
from rowlock import runs

logger = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
def feedback(request: HttpRequest) -> HttpResponse:
    """A form that is confirmed by an email, which a task sends."""
    if request.method != "POST":
        return render(request, "example/feedback.html", {"form": FeedbackForm()})
    form = FeedbackForm(request.POST)
    if not form.is_valid():
        return render(request, "example/feedback.html", {"form": form}, status=422)
    sent = {name: form.cleaned_data[name] for name in ("address", "message")}
    try:
        run = runs.submit(send_confirmation, kwargs=sent, owner=request.user.get_username())
    except DATABASE_DOWN as error:
        logger.warning("a message was not accepted: %s", error)
        form.add_error(None, "We cannot take messages at the moment. Please try again in a minute.")
        response = render(request, "example/feedback.html", {"form": form}, status=503)
        response["Retry-After"] = "5"
        return response
    return redirect("feedback-thanks", task_id=run.id)


@require_safe
def thanks(request: HttpRequest, task_id: UUID) -> HttpResponse:
    return render(request, "example/thanks.html", {"task_id": task_id})
