"""One map of pools over their defaults: arguments and grace period derive from it."""

from typing import Any

import pytest

from render.chart import RefusedError, Rendered, render


def argument(rendered: Rendered, pool: str, name: str) -> str:
    command: list[str] = rendered.pod("worker", pool).main["command"]
    return command[command.index(name) + 1]


def pool(**values: Any) -> Rendered:
    return render({"workers": {"default": values}})


def test_the_default_pools_have_their_queues() -> None:
    rendered = render()

    assert argument(rendered, "default", "--queues") == "celery,email,text,page"
    assert argument(rendered, "heavy", "--queues") == "image,report,model"


def test_a_worker_is_celery_itself_without_a_shell() -> None:
    command = render().pod("worker", "default").main["command"]

    assert command == [
        *("celery", "-A", "example.celery:app", "worker", "--hostname", "default@%h"),
        *(
            "--queues",
            "celery,email,text,page",
            "--pool",
            "prefork",
            "--concurrency",
            "2",
            "--prefetch-multiplier",
            "1",
        ),
        *("--time-limit", "300", "--soft-time-limit", "270", "--without-mingle", "--without-gossip"),
        *("--loglevel", "INFO"),
    ]


def test_a_pool_is_merged_deeply_over_the_defaults() -> None:
    rendered = render(
        {
            "workerDefaults": {"concurrency": 8, "resources": {"limits": {"memory": "3Gi"}}},
            "workers": {"heavy": {"resources": {"requests": {"cpu": "2"}}}},
        }
    )

    resources = rendered.pod("worker", "heavy").main["resources"]

    assert argument(rendered, "heavy", "--concurrency") == "8"
    assert resources == {"requests": {"cpu": "2", "memory": "256Mi"}, "limits": {"memory": "3Gi"}}


@pytest.mark.parametrize(
    ("resources", "concurrency"),
    [
        ({"requests": {"cpu": "500m"}}, "1"),
        ({"requests": {"cpu": "1001m"}}, "2"),
        ({"requests": {"cpu": 4}}, "4"),
        ({"requests": {"cpu": "1.5"}}, "2"),
        ({"requests": {"cpu": "500m"}, "limits": {"cpu": "3"}}, "3"),
        ({"requests": {"cpu": None}}, "1"),
    ],
)
def test_a_pool_does_as_much_at_once_as_it_has_cpus(resources: Any, concurrency: str) -> None:
    rendered = render({"workers": {"default": None, "sums": {"queues": ["sums"], "resources": resources}}})

    assert argument(rendered, "sums", "--concurrency") == concurrency


def test_a_number_for_concurrency_wins_over_the_cpus() -> None:
    rendered = pool(concurrency=16, resources={"requests": {"cpu": "2"}})

    assert argument(rendered, "default", "--concurrency") == "16"


def test_a_solo_pool_does_one_thing_at_once() -> None:
    assert argument(pool(pool="solo", concurrency=8), "default", "--concurrency") == "1"


def test_a_cpu_that_nobody_understands_is_refused() -> None:
    with pytest.raises(
        RefusedError, match=r"workers\.heavy\.resources has \"1e3\" for a CPU.*or set workers\.heavy\.conc"
    ):
        render({"workers": {"heavy": {"resources": {"requests": {"cpu": "1e3"}}}}})


@pytest.mark.parametrize(("name", "value"), [("replicas", 0), ("topologySpread", False)])
def test_zero_and_false_win_over_the_defaults(name: str, value: Any) -> None:
    pod = pool(**{name: value}).pod("worker", "default")

    assert pod.owner["spec"]["replicas"] == (0 if name == "replicas" else 1)
    assert ("topologySpreadConstraints" in pod.spec) is (name == "replicas")


@pytest.mark.parametrize("removed", [None, {"enabled": False}])
def test_a_pool_is_removed_by_null_and_by_its_switch(removed: Any) -> None:
    names = render({"workers": {"heavy": removed}}).names("Deployment")

    assert names == {"rowlock-web", "rowlock-worker-default", "rowlock-beat", "rowlock-collector"}


@pytest.mark.parametrize("limit", [1, 45, 300, 7200])
def test_the_grace_period_outlasts_the_longest_task(limit: int) -> None:
    pod = pool(taskTimeLimit=limit).pod("worker", "default")

    assert pod.spec["terminationGracePeriodSeconds"] == limit + 30
    assert pod.env["ROWLOCK_GRACE_SECONDS"]["value"] == str(limit + 30)


def test_the_grace_period_can_be_longer() -> None:
    pod = pool(taskTimeLimit=300, terminationGracePeriodSeconds=900).pod("worker", "default")

    assert pod.spec["terminationGracePeriodSeconds"] == 900
    assert pod.env["ROWLOCK_GRACE_SECONDS"]["value"] == "900"


def test_a_grace_period_too_short_for_a_task_is_refused() -> None:
    with pytest.raises(
        RefusedError, match=r"terminationGracePeriodSeconds \(329 s\) is too short.*set it to 330 at least"
    ):
        pool(taskTimeLimit=300, terminationGracePeriodSeconds=329)


def test_a_pool_knows_when_it_counts_as_dead() -> None:
    rendered = render({"workers": {"heavy": {"health": {"loopCeiling": 20}}}})

    env = rendered.pod("worker", "heavy").env

    assert env["ROWLOCK_LOOP_CEILING"]["value"] == "20"
    assert env["ROWLOCK_RECONNECT_CEILING"]["value"] == "14400"


def test_without_the_rowlock_app_a_pool_is_told_nothing_of_it() -> None:
    env = render({"app": {"rowlock": False}}).pod("worker", "default").env

    assert {name for name in env if name.startswith("ROWLOCK_")} == {"ROWLOCK_POOL"}


@pytest.mark.parametrize(("hard", "soft"), [(7200, 6480), (300, 270), (100, 70), (40, 20), (1, 1)])
def test_the_soft_limit_derives_from_the_hard_one(hard: int, soft: int) -> None:
    assert argument(pool(taskTimeLimit=hard), "default", "--soft-time-limit") == str(soft)


def test_the_soft_limit_can_be_set() -> None:
    assert argument(pool(taskSoftTimeLimit=100), "default", "--soft-time-limit") == "100"


def test_a_soft_limit_above_the_hard_one_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"taskSoftTimeLimit \(400 s\) is above taskTimeLimit \(300 s\): lower it"):
        pool(taskSoftTimeLimit=400)


def test_large_numbers_stay_whole() -> None:
    rendered = pool(maxMemoryPerChild=1500000, maxTasksPerChild=1000000, env={"LIMIT": 12000000})

    assert argument(rendered, "default", "--max-memory-per-child") == "1500000"
    assert argument(rendered, "default", "--max-tasks-per-child") == "1000000"
    assert rendered.pod("worker", "default").env["LIMIT"]["value"] == "12000000"


def test_extra_arguments_come_last() -> None:
    command = pool(extraArgs=["--heartbeat-interval", "10"]).pod("worker", "default").main["command"]

    assert command[-2:] == ["--heartbeat-interval", "10"]


def test_a_command_of_its_own_replaces_everything() -> None:
    assert pool(command=["my-worker"]).pod("worker", "default").main["command"] == ["my-worker"]


def test_every_pool_knows_its_name_and_its_own_settings() -> None:
    rendered = render({"workers": {"heavy": {"env": {"OMP_NUM_THREADS": 1}}}})

    assert rendered.pod("worker", "heavy").env["ROWLOCK_POOL"]["value"] == "heavy"
    assert rendered.pod("worker", "heavy").env["OMP_NUM_THREADS"]["value"] == "1"
    assert rendered.pod("worker", "default").env["ROWLOCK_POOL"]["value"] == "default"
    assert "OMP_NUM_THREADS" not in rendered.pod("worker", "default").env


def test_a_pool_without_queues_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"The pool mail has no queues: set workers\.mail\.queues"):
        render({"workers": {"mail": {"replicas": 2}}})


def test_no_budget_blocks_the_drain_of_a_single_pod() -> None:
    assert render({"web": {"replicas": 1}}).names("PodDisruptionBudget") == set()


def test_a_budget_is_made_for_more_than_one_pod() -> None:
    rendered = pool(replicas=3)

    budget = rendered.one("PodDisruptionBudget", "rowlock-worker-default")

    assert budget["spec"]["maxUnavailable"] == 1
    assert "minAvailable" not in budget["spec"]


def test_a_budget_can_say_how_many_have_to_stay() -> None:
    budget = render({"web": {"podDisruptionBudget": {"minAvailable": "50%"}}}).one("PodDisruptionBudget", "rowlock-web")

    assert budget["spec"]["minAvailable"] == "50%"
    assert "maxUnavailable" not in budget["spec"]
