from django.contrib import admin
from django.urls import include, path

from example.views import feedback, files, home, tasks

urlpatterns = [
    path("", home.home, name="home"),
    path("start_task/", tasks.start_task, name="start-task"),
    path("get_result/<str:task_id>/", tasks.get_result, name="get-result"),
    path("files/", files.upload, name="upload"),
    path("files/<str:file_id>/", files.download, name="stored-file"),
    path("feedback/", feedback.feedback, name="feedback"),
    path("feedback/thanks/<uuid:task_id>/", feedback.thanks, name="feedback-thanks"),
    path("admin/", admin.site.urls),
    path("api/", include("rowlock.api.urls")),
    path("console/", include("rowlock.console.urls")),
]
