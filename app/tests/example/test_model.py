import json
from typing import Any

import pytest
from sklearn.datasets import load_wine

from example.models import StoredFile
from example.tasks.errors import BadInput
from example.tasks.model import predict, train
from tests.example.conftest import Run, StoreFile

TINY: dict[str, Any] = {
    "features": ["a", "b"],
    "classes": ["p", "q", "r"],
    "mean": [0, 0],
    "scale": [1, 1],
    "coefficients": [[9, 0], [0, 9], [-9, -9]],
    "intercepts": [0, 0, 0],
}


@pytest.fixture
def tiny(store: StoreFile) -> str:
    return store(json.dumps(TINY).encode())


def test_training_tells_the_accuracy_of_every_fold(run: Run) -> None:
    result = run(train, folds=3)

    assert len(result["accuracies"]) == 3
    assert result["mean_accuracy"] > 0.9
    assert result["classes"] == ["class_0", "class_1", "class_2"]


def test_a_trained_model_tells_wines_apart(run: Run) -> None:
    data = load_wine()
    model_id = run(train, folds=2)["model"]["id"]

    result = run(predict, model_id, data.data[::10].tolist())

    expected = [f"class_{target}" for target in data.target[::10]]
    assert [prediction["class"] for prediction in result["predictions"]] == expected
    assert all(0.3 < prediction["probability"] <= 1 for prediction in result["predictions"])


def test_a_model_is_stored_as_json(run: Run) -> None:
    reference = run(train, folds=2)["model"]

    model = json.loads(bytes(StoredFile.objects.get(id=reference["id"]).content))
    assert sorted(model) == sorted(TINY)
    assert len(model["coefficients"]) == 3


@pytest.mark.parametrize("folds", [1, 21, "5", None, 2.0, True])
def test_folds_out_of_bounds_are_refused(run: Run, folds: Any) -> None:
    with pytest.raises(BadInput, match="folds must be a whole number from 2 to 20"):
        run(train, folds=folds)


def test_the_most_likely_class_is_predicted(run: Run, tiny: str) -> None:
    result = run(predict, tiny, [[1, 0], [0, 1], [-1, -1]])

    assert [prediction["class"] for prediction in result["predictions"]] == ["p", "q", "r"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "rows must be a list of 1 to 1000 rows of 2 numbers"),
        (None, "rows must be a list"),
        ([[1, 2]] * 1001, "1 to 1000 rows"),
        ([[1, 2], [1]], "Row 2 must be a list of 2 numbers"),
        ([1, 2], "Row 1 must be a list"),
        ([[1, "2"]], "Row 1 contains '2'"),
        ([[1, True]], "Row 1 contains True"),
        ([[1, float("nan")]], "Row 1 contains nan"),
        ([[1, 10**400]], "Row 1 contains 1000"),
    ],
    ids=["none", "null", "many", "short", "flat", "text", "bool", "nan", "huge"],
)
def test_rows_that_do_not_fit_the_model_are_refused(run: Run, tiny: str, rows: Any, reason: str) -> None:
    with pytest.raises(BadInput, match=reason):
        run(predict, tiny, rows)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04pickle",
        b"[]",
        json.dumps({**TINY, "extra": 1}).encode(),
        json.dumps({**TINY, "classes": ["p", "q"]}).encode(),
        json.dumps({**TINY, "mean": [0]}).encode(),
        json.dumps({**TINY, "scale": [0, 1]}).encode(),
        json.dumps({**TINY, "coefficients": [[1e308, 0], [0, 9], [-9, -9]]}).encode(),
        json.dumps({**TINY, "intercepts": [0, 0]}).encode(),
    ],
    ids=["empty", "pickle", "list", "extra", "classes", "mean", "zero scale", "huge", "intercepts"],
)
def test_a_file_that_is_no_model_is_refused(run: Run, store: StoreFile, content: bytes) -> None:
    with pytest.raises(BadInput, match="not a model made by"):
        run(predict, store(content), [[1, 2]])
