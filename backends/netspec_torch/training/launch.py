"""Starts the processes of a training on one machine, as torchrun does: one for each device."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

FAILED = 2
MODULE = "netspec_cli"


def launch(count: int, arguments: Sequence[str]) -> tuple[int, str]:
    """Run a command of netspec in so many processes; its exit code, and what they could not say themselves."""
    # The processes report what is wrong; torchrun would add a page for developers.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, _cores() // count)))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=count,
        run_id=f"netspec-{os.getpid()}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
    )
    try:
        # -P: the current folder contains the user's files, which must not be imported as modules.
        elastic_launch(config, sys.executable)("-P", "-m", MODULE, *arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode > 0:
            return failure.exitcode, ""
        return FAILED, f"process {rank} of {count} was ended by {signal.Signals(-failure.exitcode).name}"
    except SignalException as stop:
        return 128 + int(stop.sigval), ""
    return 0, ""


def _cores() -> int:
    """The number of cores that this process can use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
