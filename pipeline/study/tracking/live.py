"""Live curves: what a stage measures is in MLflow while it still trains.

Training never waits for MLflow and never fails with it. Points go into a buffer; a
thread imports MLflow, opens the run and writes every few seconds. What does not arrive
is filled in from the files by `pipeline.study.tracking.publishing`.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

from pipeline.study.tracking.content import Status, flat, params_of
from pipeline.study.tracking.writer import Plan, Reading, Writer

SECONDS_BETWEEN_WRITES: Final = 3.0
SECONDS_AFTER_A_FAILURE: Final = 30.0
SECONDS_TO_CLOSE: Final = 60.0
"""What a stage waits at its end for a slow store."""


class LiveRun:
    """A run that is being computed, as MLflow sees it. Nothing here ever raises."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._buffer: deque[Callable[[Writer], None]] = deque()
        self._writer: Writer | None = None
        self._closing = Event()
        self._status: Status = "KILLED"
        self._warned = False
        self._thread = Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls,
        *,
        study: str,
        stage: str,
        run: str,
        key: str,
        children: Sequence[str],
        params: Mapping[str, object],
    ) -> "LiveRun":
        """Start to log a run; returns at once.

        A run with this key that was finished is replaced, one that was interrupted is
        continued. `children` are seeds, as `seed 3`, one per child run, of which the
        run has the means; `params` are what `run.json` will say, as far as it is known.
        """
        return cls(Plan(study, stage, run, key, tuple(children), params_of(params)))

    def log(self, name: str, step: int, metrics: Mapping[str, float]) -> None:
        """Add what a child, or PARENT, measured after `step` environment steps.

        What the store has already, before an interruption, is not added again.
        """
        milliseconds = time.time_ns() // 1_000_000
        measured = Reading(name, step, dict(metrics), milliseconds)
        self._buffer.append(lambda writer: writer.add(measured))

    def child(self, name: str, title: str, params: Mapping[str, object]) -> None:
        """Open the run of a child that was not known at the start, or continue it."""
        said = flat(params)
        self._buffer.append(lambda writer: writer.open(name, title, said))

    def describe(self, name: str, params: Mapping[str, object]) -> None:
        """Add parameters to a child, or to PARENT; one that is there stays as it is."""
        said = flat(params)
        self._buffer.append(lambda writer: writer.describe(name, said))

    def ended(self, name: str, status: Status, params: Mapping[str, object]) -> None:
        """Say how a child ended, before the others do."""
        self.describe(name, params)
        self._buffer.append(lambda writer: writer.end(name, status))

    def close(self, status: Status) -> None:
        """Write what is left, say how the run ended, and wait for that a little."""
        self._status = status
        self._closing.set()
        self._thread.join(SECONDS_TO_CLOSE)
        if self._thread.is_alive():
            self._warn("it is slow")

    def _work(self) -> None:
        """Write until the run is closed; then once more, to a store that answered."""
        pause = 0.0
        while not self._closing.wait(pause):
            pause = SECONDS_BETWEEN_WRITES if self._write() else SECONDS_AFTER_A_FAILURE
            if self._writer is None and self._closing.is_set():
                return
        self._write()

    def _write(self) -> bool:
        """Write what is in the buffer; whether that worked."""
        closing = self._closing.is_set()
        try:
            if self._writer is None:
                self._writer = Writer(self._plan)
            while self._buffer:
                self._buffer.popleft()(self._writer)
            self._writer.write()
            if closing:
                self._writer.finish(self._status)
        except Exception as error:  # training is worth more than its mirror
            self._warn(str(error))
            return False
        return True

    def _warn(self, reason: str) -> None:
        """Say once that live curves are incomplete."""
        if not self._warned:
            self._warned = True
            first = (reason.splitlines() or ["unknown"])[0]
            print(
                f"warning: no live curves: {first}; training goes on, "
                "`python -m stages.publish` fills them in later",
                file=sys.stderr,
            )


@contextmanager
def tracked(
    *,
    study: str,
    stage: str,
    run: str,
    key: str,
    children: Sequence[str],
    params: Mapping[str, object],
) -> Iterator[LiveRun]:
    """A live run that is told how the stage ended; see `LiveRun.open`."""
    live = LiveRun.open(
        study=study, stage=stage, run=run, key=key, children=children, params=params
    )
    try:
        yield live
    except KeyboardInterrupt:
        live.close("KILLED")
        raise
    except BaseException:
        live.close("FAILED")
        raise
    live.close("FINISHED")
