"""What helm says after an installation fits what was installed."""

from pathlib import Path

import pytest

from render.chart import CHART, EXAMPLES, notes

EXTERNAL = CHART / "ci" / "external-services-values.yaml"
ONE_POOL = CHART / "ci" / "one-pool-values.yaml"
EVERYTHING = CHART / "ci" / "everything-values.yaml"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_notes_tell_how_to_test_and_to_sign_in(example: Path) -> None:
    text = notes(example=example)

    assert "helm test rowlock --namespace demo --logs" in text
    assert "createsuperuser" in text


def test_without_a_public_name_they_tell_how_to_forward_a_port() -> None:
    assert "kubectl port-forward --namespace demo service/rowlock-web 8000:80" in notes()


def test_with_an_ingress_they_tell_its_address() -> None:
    text = notes(example=EVERYTHING)

    assert "https://oars.example.com/" in text
    assert "service/oars-prod-web" not in text


def test_they_list_the_pools_and_their_queues() -> None:
    assert "worker   1 x 1 prefork, pool heavy: image, report, model" in notes()


def test_they_tell_what_is_missing_and_which_value_adds_it() -> None:
    text = notes()

    for value in ("web.https", "networkPolicy.metrics.from", "externalRabbitmq", "image.repository"):
        assert value in text


def test_they_do_not_miss_what_is_there() -> None:
    text = notes(example=EVERYTHING)

    for value in ("web.https", "networkPolicy.metrics.from", "image.repository"):
        assert value not in text


def test_they_tell_what_an_uninstall_leaves() -> None:
    text = notes()

    assert "kubectl delete secret --namespace demo rowlock-generated" in text
    for service in ("postgresql", "rabbitmq", "redis"):
        assert f"data-rowlock-{service}-0" in text


def test_they_name_no_leftovers_that_there_are_not() -> None:
    assert "delete secret" not in notes(example=ONE_POOL)
    assert "persistentvolumeclaim" not in notes(example=ONE_POOL) + notes(example=EXTERNAL)
