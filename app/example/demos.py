"""What the home page offers: a form for each task."""

from dataclasses import dataclass, field

WINE = (
    "[[14.23, 1.71, 2.43, 15.6, 127, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065],\n"
    " [12.37, 0.94, 1.36, 10.6, 88, 1.98, 0.57, 0.28, 0.42, 1.95, 1.05, 1.82, 520]]"
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """One argument of a task.

    `kind` is the type of its input element, or textarea or select; `value_type` tells the page's script what to make
    of what was typed: text, number, numbers (comma separated), json or file (uploaded, its id sent).
    """

    name: str
    label: str
    kind: str = "text"
    value_type: str = "text"
    value: str = ""
    help: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Demo:
    task: str
    title: str
    description: str
    button: str
    fields: tuple[Field, ...] = ()

    @property
    def slug(self) -> str:
        return self.task.removeprefix("example.tasks.").replace(".", "-").replace("_", "-")


def _number(name: str, label: str, value: str, *, low: str = "", high: str = "", step: str = "any") -> Field:
    attributes = {"min": low, "max": high, "step": step, "required": ""}
    return Field(name=name, label=label, kind="number", value_type="number", value=value, attributes=attributes)


def _file(label: str, accept: str, help: str) -> Field:
    attributes = {"accept": accept, "required": ""}
    return Field(name="file_id", label=label, kind="file", value_type="file", help=help, attributes=attributes)


DEMOS = (
    Demo(
        task="example.tasks.image.make_thumbnails",
        title="Thumbnails",
        description="Small versions of a picture, and one sheet that shows them all.",
        button="Make thumbnails",
        fields=(
            _file("Picture", "image/*", "JPEG, PNG, GIF, WebP, BMP or TIFF"),
            Field(
                name="sizes",
                label="Sizes in pixels",
                value_type="numbers",
                value="128, 256",
                help="16 to 1024, separated by commas",
                attributes={"required": "", "pattern": r"\s*\d+\s*(,\s*\d+\s*)*"},
            ),
        ),
    ),
    Demo(
        task="example.tasks.report.summarise",
        title="Report",
        description="Mean, spread and quartiles of every numeric column of a table, plotted.",
        button="Make the report",
        fields=(
            _file("Table", ".csv,.tsv,text/csv", "CSV in UTF-8"),
            Field(name="format", label="Format", kind="select", value="pdf", options=("pdf", "png")),
        ),
    ),
    Demo(
        task="example.tasks.text.count_words",
        title="Word count",
        description="Words, sentences and reading time of a text.",
        button="Count words",
        fields=(
            _file("Text", ".txt,.md,text/*", "plain text in UTF-8"),
            _number("top", "Most common words shown", "10", low="1", high="100", step="1"),
        ),
    ),
    Demo(
        task="example.tasks.page.fetch",
        title="Page fetch",
        description="Title and links of a page on the public internet.",
        button="Fetch the page",
        fields=(
            Field(
                name="url",
                label="Address",
                kind="url",
                value="https://www.djangoproject.com/",
                attributes={"required": ""},
            ),
        ),
    ),
    Demo(
        task="example.tasks.model.train",
        title="Train a model",
        description="Tells wines apart by thirteen measurements; cross-validated.",
        button="Train",
        fields=(_number("folds", "Folds", "5", low="2", high="20", step="1"),),
    ),
    Demo(
        task="example.tasks.model.predict",
        title="Predict",
        description="Which of three growers a wine is from, by a model trained here.",
        button="Predict",
        fields=(
            Field(
                name="model_id",
                label="Model",
                help="filled in when training ends",
                attributes={"required": "", "autocomplete": "off"},
            ),
            Field(
                name="rows",
                label="Measurements",
                kind="textarea",
                value_type="json",
                value=WINE,
                help="one list of thirteen numbers for each wine",
                attributes={"required": "", "rows": "4", "spellcheck": "false"},
            ),
        ),
    ),
    Demo(
        task="example.tasks.basic.add",
        title="Add",
        description="The smallest task there is.",
        button="Add",
        fields=(
            _number("x", "x", "2"),
            _number("y", "y", "3"),
        ),
    ),
    Demo(
        task="example.tasks.basic.wait",
        title="Wait",
        description="Runs for a while: stop its worker meanwhile and see that the task is not lost.",
        button="Wait",
        fields=(_number("seconds", "Seconds", "20", low="0", high="240"),),
    ),
    Demo(
        task="example.tasks.basic.flaky",
        title="Try again",
        description="Fails a few times, a second apart, until it succeeds.",
        button="Try",
        fields=(_number("failures", "Failures", "2", low="0", high="10", step="1"),),
    ),
    Demo(
        task="example.tasks.email.send_confirmation",
        title="Email",
        description="A confirmation that quotes a message.",
        button="Send",
        fields=(
            Field(
                name="address",
                label="Email address",
                kind="email",
                attributes={"required": "", "autocomplete": "email"},
            ),
            Field(
                name="message",
                label="Message",
                kind="textarea",
                attributes={"required": "", "rows": "3", "maxlength": "5000"},
            ),
        ),
    ),
    Demo(
        task="example.tasks.basic.debug_task",
        title="Where am I",
        description="Which worker and queue a task runs in.",
        button="Ask",
    ),
)
