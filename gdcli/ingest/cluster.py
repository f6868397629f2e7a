"""A cluster of Dask's: the workers of a scheduler that runs somewhere, or processes started here for the while.

A task is a group of blocks (see :mod:`gdcli.ingest.remote`); its triangle comes back. Rows that are kept stay where
they were read, and what is asked of them comes back. Dask is imported only where it is used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gdcli.base.errors import DataError
from gdcli.base.listener import Listener
from gdcli.ingest.remote import Future, Numbered, Position, Run, reduced_elsewhere, run_there

if TYPE_CHECKING:
    from gdcli.ingest.aggregate import Aggregate
    from gdcli.ingest.kept_rows import KeptRows
    from gdcli.ingest.one_pass import Reduction

T = TypeVar("T")

# When all workers are gone, some may come back within so many seconds.
_RETURN = 60

# So many groups for each thread of the workers are under way: none waits for work, and few are lost to a wrong guess.
_AHEAD = 3

# Where no answer arrives for so many seconds, it is asked whether there is anybody left to give it.
_LOOK = 20.0


def reduced_on(
    client: Any, reduction: "Reduction", inputs: Iterator[Numbered], size: int | None, listener: Listener
) -> "Aggregate | None":
    """Reduce all inputs, of so many bytes, on a cluster. Raises DataError.

    Rows that are kept stay on the workers, as long as the client is connected.
    """

    def submit(reduction: "Reduction", inputs: Sequence[Numbered], start: Position, size: int) -> Future:
        run = client.submit(_task, reduction, inputs, start, size, pure=False)
        return cast("Future", run) if reduction.sampling.store is None else _SplitFuture(client, run)

    return reduced_elsewhere(
        reduction, inputs, submit, lambda: _AHEAD * _threads(client), lambda done: listener.reading(done, size)
    )


class _RemoteRows:
    """A group whose rows are on a worker. If it dies, Dask has another one read them again."""

    def __init__(self, client: Any, run: Any) -> None:
        self._client, self._run = client, run

    def ask(self, question: Callable[[Sequence["KeptRows"]], T]) -> Callable[[], T]:
        """See :class:`gdcli.ingest.kept_rows.RowGroup`."""
        return partial(_awaited, self._client, self._client.submit(_answer, self._run, question, pure=False))


def _answer(run: Run, question: Callable[[Sequence["KeptRows"]], T]) -> T:
    if run.reduced is None:  # the rows went with their worker, and could not be read again
        raise DataError(run.lost)
    return question(run.kept)


def _awaited(client: Any, answer: Any) -> Any:
    """Wait for an answer as long as there are workers."""
    while True:
        try:
            return answer.result(timeout=_LOOK)
        except TimeoutError:
            _threads(client)


class _SplitFuture:
    """The promise of a run whose rows stay where they are read."""

    def __init__(self, client: Any, run: Any) -> None:
        self._client, self._run = client, run
        self._rest = client.submit(Run.without_rows, run, pure=False)

    def result(self) -> Run:
        """See :class:`gdcli.ingest.remote.Future`."""
        rest: Run = self._rest.result()
        return rest.with_rows(_RemoteRows(self._client, self._run))

    def cancel(self) -> None:
        """See :class:`gdcli.ingest.remote.Future`."""
        self._client.cancel([self._rest, self._run])

    def add_done_callback(self, function: Callable[[Any], object], /) -> None:
        """See :class:`gdcli.ingest.remote.Future`."""
        self._rest.add_done_callback(function)


def _task(reduction: "Reduction", inputs: Sequence[Numbered], start: Position, size: int) -> Run:
    """What a worker does."""
    from distributed import get_worker

    found = run_there(reduction, inputs, start, size)
    if not found.strange:
        return found
    where = f"worker {get_worker().address}: {found.lost}"
    return replace(
        found, lost=f"{where}\nWith --dask every worker reads the files itself, under the same path as here."
    )


def _threads(client: Any) -> int:
    """Return how many groups the workers can reduce at a time, now. Raises DataError where all have gone for good."""
    threads: dict[str, int] = client.nthreads()
    if not threads:
        try:
            client.wait_for_workers(1, timeout=_RETURN)
        except TimeoutError:
            raise DataError("all workers of the cluster are gone: their logs may tell why") from None
    return max(sum(threads.values()), 1)
