from celery import Task


def report_progress(task: Task, done: int, total: int, message: str) -> None:
    """Let whoever asks for the result of the running `task` see how far it is."""
    if task.request.id:
        task.update_state(state="PROGRESS", meta={"done": done, "total": total, "message": message})
