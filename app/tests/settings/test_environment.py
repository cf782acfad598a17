from pathlib import Path

import pytest

from example.environment import REQUIRED_UNLESS_DEBUG, Environment, expectation, read

COMPLETE = {
    "SECRET_KEY": "kM3vQ9xW2pL7rT5yB8nC4dF6gH1jZ0sAeUiOqPwXtYbVmNcR",
    "ALLOWED_HOSTS": "example.com, www.example.com",
    "DATABASE_URL": "postgres://user:password@host:5432/database",
    "BROKER_URL": "amqp://user:password@host:5672/vhost",
    "REDIS_URL": "redis://:password@host:6379/0",
}
COMPLETE["SECRET_KEY"] += "aB3dE6"


def messages(**variables: str) -> list[str]:
    return [problem.message for problem in read({**COMPLETE, **variables})[1]]


def test_a_complete_environment_has_no_problem() -> None:
    assert messages() == []


def test_debug_does_without_services() -> None:
    _, problems = read({"DEBUG": "true"})

    assert problems == []


@pytest.mark.parametrize("name", REQUIRED_UNLESS_DEBUG)
def test_a_missing_variable_is_named_with_an_example(name: str) -> None:
    _, problems = read({key: value for key, value in COMPLETE.items() if key != name})

    assert [(problem.variable, problem.message.startswith(f"{name} is missing.")) for problem in problems] == [
        (name, True)
    ]
    assert f"for example {name}=" in problems[0].message


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("DEBUG", "perhaps", "boolean"),
        ("SECRET_KEY", "short", "too short"),
        ("DATABASE_URL", "mysql://host/database", "scheme must be one of postgres"),
        ("DATABASE_URL", "postgres:///database", "names no host"),
        ("BROKER_URL", "amqp://host:port/", "port"),
        ("REDIS_URL", "host:6379", "scheme must be one of redis"),
        ("HTTPS", "always", "boolean"),
        ("EMAIL_BACKEND", "pigeon", "console"),
        ("EMAIL_PORT", "99999", "65535"),
        ("TIME_ZONE", "Europe/Atlantis", "no such time zone"),
        ("LOG_LEVEL", "loud", "DEBUG"),
        ("TASK_TIME_LIMIT", "0", "greater than or equal to 1"),
        ("RESULT_EXPIRES", "a day", "integer"),
        ("UPLOAD_LIMIT_MB", "5000", "100"),
    ],
)
def test_a_malformed_variable_is_named_with_the_reason_and_an_example(name: str, value: str, reason: str) -> None:
    found = [message for message in messages(**{name: value}) if message.startswith(name)]

    assert len(found) == 1, f"one message about {name}, found {found}"
    assert reason in found[0]
    assert expectation(name) in found[0]


def test_a_malformed_secret_is_not_shown() -> None:
    found = messages(DATABASE_URL="mysql://user:hunter2@host/database")

    assert "hunter2" not in str(found)


def test_a_secret_is_read_from_the_file_that_its_variable_names(tmp_path: Path) -> None:
    file = tmp_path / "redis"
    file.write_text("redis://:from-file@host:6379/0\n")

    environment, problems = read({**COMPLETE, "REDIS_URL": "", "REDIS_URL_FILE": str(file)})

    assert (environment.REDIS_URL, problems) == ("redis://:from-file@host:6379/0", [])


def test_an_unreadable_file_is_named() -> None:
    found = messages(REDIS_URL_FILE="/no/such/file")

    assert len(found) == 1
    assert found[0].startswith("REDIS_URL_FILE names /no/such/file, which cannot be read")


def test_the_soft_time_limit_must_be_below_the_hard_one() -> None:
    assert messages(TASK_TIME_LIMIT="60", TASK_SOFT_TIME_LIMIT="60") == [
        "TASK_SOFT_TIME_LIMIT (60) must be below TASK_TIME_LIMIT (60), for example TASK_SOFT_TIME_LIMIT=54."
    ]


def test_all_problems_are_told_at_once() -> None:
    assert len(messages(LOG_LEVEL="loud", EMAIL_PORT="0", TIME_ZONE="nowhere")) == 3


@pytest.mark.parametrize("name", Environment.model_fields)
def test_every_variable_says_what_it_expects(name: str) -> None:
    field = Environment.model_fields[name]

    assert field.description, f"{name} has no description"
    assert field.examples, f"{name} has no example"
