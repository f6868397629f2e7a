"""Dask: the workers of a running scheduler, or processes started here for the time being.

A task is a section of blocks (see :mod:`gdcli.ingest.remote`); its triangle comes back. Rows that are kept stay on
the worker that read them, and answers about them come back. Dask is imported when it is used.
"""

from asyncio import get_running_loop, run_coroutine_threadsafe
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gdcli.base.allocator import keep_freed_memory, return_freed_memory
from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.base.records import replace
from gdcli.ingest.remote import Future, Numbered, Position, Section, reduce_on_worker, reduced_elsewhere

if TYPE_CHECKING:
    from concurrent.futures import Future as AnyFuture

    from gdcli.ingest.aggregate import Aggregate
    from gdcli.ingest.kept_rows import KeptRows
    from gdcli.ingest.one_pass import Reduction

T = TypeVar("T")

# Seconds within which workers may come back when all are gone.
_RETURN = 60

# Sections under way for each thread of the workers: none waits for work, and few are lost to a wrong guess.
_AHEAD = 3

# Seconds for which a count of the workers' threads holds.
_COUNTED = 1.0

# Seconds without an answer after which the workers are counted.
_LOOK = 20.0

# Seconds without an answer after which the scheduler is asked whether the worker still has the rows.
_LOOK_FOR_HOLDER = 1.0


def reduced_on(
    client: Any, reduction: "Reduction", inputs: Iterator[Numbered], size: int | None, listener: Listener
) -> "Aggregate | None":
    """The aggregate of all inputs, reduced on a cluster; ``size`` is their bytes. Raises DataError.

    Rows that are kept stay on the workers, as long as the client is connected.
    """

    def submit(reduction: "Reduction", inputs: Sequence[Numbered], start: Position, size: int) -> Future:
        run = client.submit(_task, reduction, inputs, start, size, pure=False)
        return cast("Future", run) if reduction.plan.store is None else _SplitFuture(client, run)

    threads = _CountedThreads(client)
    return reduced_elsewhere(
        reduction, inputs, submit, lambda: _AHEAD * threads.now(), lambda done: listener.reading(done, size)
    )


class _CountedThreads:
    """The number of threads of all workers, asked for once a second at most: the scheduler has tasks to hand out."""

    def __init__(self, client: Any) -> None:
        self._client, self._found, self._until = client, 0, 0.0

    def now(self) -> int:
        """The number, now or a moment ago. Raises DataError if all workers have gone for good."""
        if monotonic() >= self._until:
            self._found, self._until = _threads(self._client), monotonic() + _COUNTED
        return self._found


class _RemoteRows:
    """A group whose rows are on a worker. If it dies, Dask has another one read them again.

    The worker that holds the rows is asked directly, past the scheduler's queue of tasks: a descent asks thousands of
    times, and a task takes 10 ms besides its work, most of which this spares.
    """

    def __init__(self, client: Any, run: Any) -> None:
        self._client, self._run = client, run
        self._holder: str | None = None

    def ask(self, question: Callable[[Sequence["KeptRows"]], T]) -> Callable[[], T]:
        """See :class:`gdcli.ingest.kept_rows.RowGroup`."""
        if self._holder is None:
            self._holder = self._find_holder()
        if self._holder is None:
            return self._submit(question)
        words = {"workers": [self._holder], "asynchronous": True}
        answer = self._client.run(_answer_at_once, self._run.key, question, **words)
        return partial(self._direct, question, run_coroutine_threadsafe(answer, self._client.loop.asyncio_loop))

    def _direct(self, question: Callable[[Sequence["KeptRows"]], T], answers: "AnyFuture[dict[str, T]]") -> T:
        """The answer of the worker that was asked; a task's answer if it has gone or no longer has the rows."""
        try:
            while True:
                try:
                    return next(iter(answers.result(timeout=_LOOK_FOR_HOLDER).values()))
                except TimeoutError:
                    if answers.done() or self._find_holder() != self._holder:
                        break
        except DataError:
            raise
        except Exception:  # whatever a connection that breaks, or a worker that starts anew, makes of it
            pass
        finally:
            answers.cancel()
        self._holder = None
        return self._submit(question)()

    def _submit(self, question: Callable[[Sequence["KeptRows"]], T]) -> Callable[[], T]:
        return partial(_awaited, self._client, self._client.submit(_answer, self._run, question, pure=False))

    def _find_holder(self) -> str | None:
        """The address of the first worker with the rows; None if they are being read again."""
        (addresses,) = self._client.who_has([self._run]).values()
        return min(addresses, default=None)


async def _answer_at_once(key: str, question: Callable[[Sequence["KeptRows"]], T], dask_worker: Any) -> T:
    """The answer from rows that a worker holds, on one of its threads for tasks. Raises KeyError if it has them not."""
    run = dask_worker.data[key]
    return await get_running_loop().run_in_executor(dask_worker.executors["default"], _answer, run, question)


def _answer(run: Section, question: Callable[[Sequence["KeptRows"]], T]) -> T:
    if run.reduced is None:  # the rows went with their worker and could not be read again
        raise DataError(run.error)
    return question(run.kept)


def _awaited(client: Any, answer: Any) -> Any:
    """Wait for an answer as long as there are workers."""
    while True:
        try:
            return answer.result(timeout=_LOOK)
        except TimeoutError:
            _threads(client)


class _SplitFuture:
    """A section whose rows stay on the worker while its aggregate comes back."""

    def __init__(self, client: Any, run: Any) -> None:
        self._client, self._run = client, run
        self._rest = client.submit(Section.without_rows, run, pure=False)

    def result(self) -> Section:
        """See :class:`gdcli.ingest.remote.Future`."""
        rest: Section = self._rest.result()
        return rest.with_rows(_RemoteRows(self._client, self._run))

    def cancel(self) -> None:
        """See :class:`gdcli.ingest.remote.Future`."""
        self._client.cancel([self._rest, self._run])

    def add_done_callback(self, function: Callable[[Any], object], /) -> None:
        """See :class:`gdcli.ingest.remote.Future`."""
        self._rest.add_done_callback(function)


def _task(reduction: "Reduction", inputs: Sequence[Numbered], start: Position, size: int) -> Section:
    """The task of a worker: a section, reduced there."""
    from distributed import get_worker

    # Dask lets the C library return each freed block to the system, which takes as long as reading the next one.
    keep_freed_memory()
    found = reduce_on_worker(reduction, inputs, start, size)
    return_freed_memory()
    if not found.wrong_file:
        return found
    where = f"worker {get_worker().address}: {found.error}"
    return replace(
        found, error=f"{where}\nWith --dask every worker reads the files itself, under the same path as here."
    )


def _threads(client: Any) -> int:
    """The number of threads of all workers, now. Raises DataError if all workers have gone for good."""
    threads: dict[str, int] = client.nthreads()
    if not threads:
        try:
            client.wait_for_workers(1, timeout=_RETURN)
        except TimeoutError:
            raise DataError("all workers of the cluster are gone: their logs may tell why") from None
    return max(sum(threads.values()), 1)
