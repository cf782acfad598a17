"""The dashboards as the chart has them."""

import json
from pathlib import Path
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import overview, pool, services, task

FOLDER: Final = Path(__file__).resolve().parents[2] / "charts" / "rowlock" / "dashboards"


def texts() -> dict[str, str]:
    """The JSON of each dashboard by the name of its file."""
    built = {module.__name__.rpartition(".")[2]: module.dashboard() for module in (overview, pool, task, services)}
    return {f"{name}.json": json.dumps(_shown(model), indent=1) + "\n" for name, model in built.items()}


def write() -> None:
    """Put them into the chart."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text)


def _shown(model: object) -> Any:
    """A dashboard whose links are in its head: the SDK puts them all into a menu that is closed."""
    return json.loads(json.dumps(model, cls=JSONEncoder), object_hook=_without_placement)


def _without_placement(found: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in found.items() if key != "placement" or value != "inControlsMenu"}
