"""The variables that configure the example, each with what it expects: the only place that reads the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from pydantic.fields import FieldInfo


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One variable that is missing or malformed, told so that the reader can mend it."""

    variable: str
    message: str


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _url_of(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in schemes:
            raise ValueError(f"its scheme must be one of {', '.join(schemes)}")
        if parts.scheme not in ("sqlite", "embedded") and not parts.hostname:
            raise ValueError("it names no host")
        parts.port  # noqa: B018 - raises ValueError on a port that is not a number
        return value

    return AfterValidator(check)


def _known_time_zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("there is no such time zone")
    return value


def _long_enough(value: str) -> str:
    if len(value) < 50 or len(set(value)) < 5:
        raise ValueError("it is too short or too uniform to be secret")
    return value


CommaSeparated = Annotated[list[str], BeforeValidator(_comma_separated)]
Seconds = Annotated[int, Field(ge=1)]


class Environment(BaseModel):
    """One field a variable; `examples` holds one valid value, `description` what is expected."""

    DEBUG: bool = Field(False, description="true or false; true permits the embedded default", examples=["false"])
    SECRET_KEY: Annotated[str, AfterValidator(_long_enough)] | None = Field(
        None, description="at least 50 random characters", examples=["(output of: openssl rand -base64 48)"]
    )
    ALLOWED_HOSTS: CommaSeparated | None = Field(
        None, description="host names, comma separated", examples=["example.com,www.example.com"]
    )
    CSRF_TRUSTED_ORIGINS: CommaSeparated = Field(
        [], description="origins with scheme, comma separated", examples=["https://example.com"]
    )
    HTTPS: bool | None = Field(
        None, description="true where people come by https: secure cookies, redirect, HSTS", examples=["true"]
    )
    DATABASE_URL: Annotated[str, _url_of("postgres", "postgresql", "sqlite")] | None = Field(
        None, description="a Postgres or SQLite URL", examples=["postgres://user:password@host:5432/database"]
    )
    ROWLOCK_EMBEDDED_DIR: str = Field(
        "", description="the folder of the embedded default's data", examples=["/var/lib/rowlock"]
    )
    DATABASE_POOL_SIZE: Annotated[int, Field(ge=0)] = Field(
        0, description="Postgres connections that a process shares among its threads, 0 for no pool", examples=["10"]
    )
    BROKER_URL: Annotated[str, _url_of("amqp", "amqps", "embedded")] | None = Field(
        None, description="a RabbitMQ URL", examples=["amqp://user:password@host:5672/vhost"]
    )
    REDIS_URL: Annotated[str, _url_of("redis", "rediss")] | None = Field(
        None, description="a Redis URL", examples=["redis://:password@host:6379/0"]
    )
    EMAIL_BACKEND: Literal["console", "file", "smtp"] = Field(
        "console", description="console, file or smtp", examples=["smtp"]
    )
    EMAIL_FILE_PATH: str = Field(
        "/tmp/rowlock-email",  # noqa: S108 - a folder for looking at mail while developing
        description="the folder of the file backend",
        examples=["/var/mail/outgoing"],
    )
    EMAIL_HOST: str = Field("localhost", description="the SMTP server", examples=["smtp.example.com"])
    EMAIL_PORT: Annotated[int, Field(ge=1, le=65535)] = Field(25, description="its port", examples=["587"])
    EMAIL_HOST_USER: str = Field("", description="the SMTP user, empty for none", examples=["mailer"])
    EMAIL_HOST_PASSWORD: str = Field("", description="the SMTP password", examples=["(a password)"])
    EMAIL_USE_TLS: bool = Field(False, description="true or false: STARTTLS", examples=["true"])
    DEFAULT_FROM_EMAIL: str = Field("rowlock@localhost", description="the sender", examples=["tasks@example.com"])
    TIME_ZONE: Annotated[str, AfterValidator(_known_time_zone)] = Field(
        "UTC", description="an IANA time zone", examples=["Europe/Berlin"]
    )
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        "INFO", description="DEBUG, INFO, WARNING, ERROR or CRITICAL", examples=["INFO"]
    )
    TASK_TIME_LIMIT: Seconds = Field(300, description="seconds after which a task is killed", examples=["300"])
    TASK_SOFT_TIME_LIMIT: Annotated[int, Field(ge=0)] = Field(
        270,
        description="seconds after which a task is asked to stop, below TASK_TIME_LIMIT; 0 for never",
        examples=["270"],
    )
    RESULT_EXPIRES: Seconds = Field(86400, description="seconds for which Redis keeps a result", examples=["86400"])
    UPLOAD_LIMIT_MB: Annotated[int, Field(ge=1, le=100)] = Field(
        10, description="the largest upload in MiB, 1 to 100", examples=["10"]
    )
    PAGE_ALLOW_PRIVATE: bool = Field(
        False,
        description="true or false: true lets the page task fetch private addresses, for tests only",
        examples=["false"],
    )


SECRETS = frozenset({"SECRET_KEY", "DATABASE_URL", "BROKER_URL", "REDIS_URL", "EMAIL_HOST_PASSWORD"})
REQUIRED_UNLESS_DEBUG = ("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "BROKER_URL", "REDIS_URL")


def read(variables: Mapping[str, str]) -> tuple[Environment, list[Problem]]:
    """Read the environment; a variable with a problem gets its default, so that all problems are told at once.

    Any variable may be given as NAME_FILE, the path of a file that holds the value.
    """
    given: dict[str, str] = {}
    problems: list[Problem] = []
    for name in Environment.model_fields:
        value = _given(name, variables, problems)
        if value:
            given[name] = value
    try:
        environment = Environment.model_validate(given)
    except ValidationError as error:
        for detail in error.errors():
            name = str(detail["loc"][0])
            if given.pop(name, None) is not None:
                problems.append(_malformed(name, variables, detail["msg"]))
        environment = Environment.model_validate(given)
    named = {problem.variable for problem in problems}
    if not environment.DEBUG:
        problems += [
            Problem(variable=name, message=f"{name} is missing. {expectation(name)} (DEBUG=true does without.)")
            for name in REQUIRED_UNLESS_DEBUG
            if getattr(environment, name) is None and name not in named
        ]
    if environment.TASK_SOFT_TIME_LIMIT >= environment.TASK_TIME_LIMIT:
        hard, soft = environment.TASK_TIME_LIMIT, environment.TASK_SOFT_TIME_LIMIT
        message = (
            f"TASK_SOFT_TIME_LIMIT ({soft}) must be below TASK_TIME_LIMIT ({hard}), "
            f"for example TASK_SOFT_TIME_LIMIT={hard * 9 // 10}."
        )
        problems.append(Problem(variable="TASK_SOFT_TIME_LIMIT", message=message))
    return environment, problems


def expectation(name: str) -> str:
    """What variable `name` expects, with an example."""
    field: FieldInfo = Environment.model_fields[name]
    return f"Expected: {field.description}, for example {name}={(field.examples or [''])[0]}."


def _given(name: str, variables: Mapping[str, str], problems: list[Problem]) -> str:
    file = variables.get(f"{name}_FILE", "")
    if not file:
        return variables.get(name, "")
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        problems.append(
            Problem(
                variable=name,
                message=f"{name}_FILE names {file}, which cannot be read: {reason}. {expectation(name)}",
            )
        )
        return ""


def _malformed(name: str, variables: Mapping[str, str], reason: str) -> Problem:
    shown: Any = "is not valid" if name in SECRETS else f"is {variables.get(name)!r}, which is not valid"
    reason = reason.removeprefix("Value error, ")
    return Problem(variable=name, message=f"{name} {shown}: {reason}. {expectation(name)}")
