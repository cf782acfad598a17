"""The memory of a container, from cgroups of both kinds."""

from pathlib import Path

import pytest

from rowlock.metrics.container import ContainerCollector


def told(folder: Path, **files: str) -> dict[str, float]:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("memory_", "memory.")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return {family.name: family.samples[0].value for family in ContainerCollector("heavy", folder).collect()}


USED, LIMIT = "rowlock_container_memory_bytes", "rowlock_container_memory_limit_bytes"


def test_files_that_can_be_dropped_do_not_count(tmp_path: Path) -> None:
    found = told(tmp_path, memory_current="1000\n", memory_stat="anon 700\ninactive_file 300\n", memory_max="2000\n")

    assert found == {USED: 700, LIMIT: 2000}


def test_the_first_version_of_cgroups_tells_the_same(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        memory__memory_usage_in_bytes="1000\n",
        memory__memory_stat="inactive_file 1\ntotal_inactive_file 300\n",
        memory__memory_limit_in_bytes="2000\n",
    )

    assert found == {USED: 700, LIMIT: 2000}


@pytest.mark.parametrize(
    "files",
    [
        {"memory_current": "1000", "memory_max": "max\n"},
        {"memory__memory_usage_in_bytes": "1000", "memory__memory_limit_in_bytes": "9223372036854771712\n"},
    ],
    ids=["v2", "v1"],
)
def test_without_a_limit_none_is_told(tmp_path: Path, files: dict[str, str]) -> None:
    assert told(tmp_path, **files) == {USED: 1000}


def test_outside_of_a_container_nothing_is_told(tmp_path: Path) -> None:
    assert told(tmp_path) == {}
