"""A classifier of wines by thirteen measurements, on the data set that comes with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from celery import Task, shared_task
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from example.tasks.errors import BadInput
from example.tasks.storage import read_input, write_output
from rowlock import runs

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FEWEST_FOLDS, MOST_FOLDS = 2, 20
MOST_ROWS = 1000

# Far beyond any measurement, and products of three of them stay in the range of floats.
LARGEST_NUMBER = 1e30
Number = Annotated[float, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Vector = Annotated[list[Number], Field(min_length=1, max_length=1000)]


class FittedModel(BaseModel):
    """A fitted model as JSON, for unpickling an uploaded file would run whatever it contains."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features: Annotated[list[str], Field(min_length=1, max_length=1000)]
    classes: Annotated[list[str], Field(min_length=3, max_length=1000)]
    mean: Vector
    scale: list[Annotated[float, Field(ge=1 / LARGEST_NUMBER, le=LARGEST_NUMBER)]]
    coefficients: list[Vector]
    intercepts: Vector

    @model_validator(mode="after")
    def _sizes_agree(self) -> FittedModel:
        vectors = [self.mean, self.scale, *self.coefficients]
        if any(len(vector) != len(self.features) for vector in vectors):
            raise ValueError("not one number for each feature")
        if not len(self.classes) == len(self.coefficients) == len(self.intercepts):
            raise ValueError("not one row of coefficients for each class")
        return self


@shared_task(bind=True, throws=(BadInput,))
def train(self: Task, folds: int = 5) -> dict[str, Any]:
    """Cross-validate, then fit on all the data and store the model."""
    if isinstance(folds, bool) or not isinstance(folds, int) or not FEWEST_FOLDS <= folds <= MOST_FOLDS:
        raise BadInput(f"folds must be a whole number from {FEWEST_FOLDS} to {MOST_FOLDS}, not {folds!r}.")
    runs.progress(0, folds + 1, "loading the data")
    # Imported in the task: workers of other queues should not pay scikit-learn's memory and start-up.
    from sklearn.datasets import load_wine
    from sklearn.model_selection import StratifiedKFold

    data = load_wine()
    accuracies = []
    splits = StratifiedKFold(folds, shuffle=True, random_state=0).split(data.data, data.target)
    for fold, (training, held_out) in enumerate(splits, start=1):
        runs.progress(fold - 1, folds + 1, f"fold {fold} of {folds}")
        pipeline = _pipeline().fit(data.data[training], data.target[training])
        accuracies.append(float(pipeline.score(data.data[held_out], data.target[held_out])))
    runs.progress(folds, folds + 1, "fitting on all the data")
    scaler, classifier = (step for _, step in _pipeline().fit(data.data, data.target).steps)
    fitted = FittedModel(
        features=list(data.feature_names),
        classes=[str(name) for name in data.target_names],
        mean=scaler.mean_.tolist(),
        scale=scaler.scale_.tolist(),
        coefficients=classifier.coef_.tolist(),
        intercepts=classifier.intercept_.tolist(),
    )
    content = fitted.model_dump_json(indent=1).encode()
    return {
        "accuracies": accuracies,
        "mean_accuracy": sum(accuracies) / folds,
        "features": fitted.features,
        "classes": fitted.classes,
        "model": write_output(self, "wine-model.json", content, "application/json"),
    }


@shared_task(throws=(BadInput,))
def predict(model_id: str, rows: list[list[float]]) -> dict[str, Any]:
    """The class of each row of measurements by a stored model, with how sure the model is."""
    try:
        fitted = FittedModel.model_validate_json(bytes(read_input(model_id).content))
    except ValidationError as error:
        raise BadInput(f"The file is not a model made by example.tasks.model.train: {_first(error)}.") from None
    _check_rows(rows, len(fitted.features))
    probabilities = _restored(fitted).predict_proba(rows).tolist()
    return {
        "predictions": [
            {"class": fitted.classes[best], "probability": row[best]}
            for row in probabilities
            for best in [row.index(max(row))]
        ]
    }


def _pipeline() -> Pipeline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def _restored(fitted: FittedModel) -> Pipeline:
    import numpy as np

    pipeline = _pipeline()
    scaler, classifier = (step for _, step in pipeline.steps)
    scaler.mean_ = np.array(fitted.mean)
    scaler.scale_ = np.array(fitted.scale)
    scaler.n_features_in_ = len(fitted.features)
    classifier.coef_ = np.array(fitted.coefficients)
    classifier.intercept_ = np.array(fitted.intercepts)
    classifier.classes_ = np.arange(len(fitted.classes))
    classifier.n_features_in_ = len(fitted.features)
    return pipeline


def _check_rows(rows: object, width: int) -> None:
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise BadInput(f"rows must be a list of 1 to {MOST_ROWS} rows of {width} numbers.")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != width:
            raise BadInput(f"Row {number} must be a list of {width} numbers.")
        for value in row:
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not abs(value) <= LARGEST_NUMBER:
                raise BadInput(f"Row {number} contains {value!r}, which is not a number that can be used.")


def _first(error: ValidationError) -> str:
    detail = error.errors()[0]
    place = ".".join(str(part) for part in detail["loc"])
    return f"{place}: {detail['msg']}" if place else detail["msg"]
