"""Reduction over threads: results come in the order of the items, so that the number of threads changes nothing."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from gdcli.base.cores import usable_cores

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

R = TypeVar("R")

# Consecutive blocks whose results are merged first; then the sections are. The sum is the same on one machine and on a
# cluster, where a section is one task.
SECTION = 64


def put_back(taken: list[T], rest: Iterator[T]) -> Iterator[T]:
    """Yield items that were taken from an iterator, and then its others.

    The list is emptied on the way: the items, which may be large, live no longer than their work.
    """
    while taken:
        yield taken.pop(0)
    yield from rest


def ordered_map(work: Callable[[T], R], items: Iterable[T], jobs: int | None) -> Iterator[R]:
    """Yield work(item) for each item in order, at most ``jobs`` at a time and one more item waiting.

    ``jobs`` is the number of cores that may be used if it is None.
    pandas' parser and LAPACK release the interpreter's lock, so threads do run side by side.
    """
    jobs = jobs or usable_cores()
    iterator = iter(items)
    first = list(islice(iterator, 2 if jobs > 1 else 0))
    several, rest = len(first) == 2, put_back(first, iterator)
    if not several:  # one item needs no second thread, nor the import of what makes them
        yield from map(work, rest)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(max_workers=jobs)
    running: deque[Future[R]] = deque()
    try:
        failed: Exception | None = None
        while failed is None:
            if len(running) > jobs:  # before another item is there, as it may be large
                yield running.popleft().result()
            try:
                item = next(rest)
            except StopIteration:
                break
            except Exception as error:  # the items before it come first, and so do their errors
                failed = error
                break
            running.append(pool.submit(_work_on_last, work, [item]))
            del item
        while running:
            yield running.popleft().result()
        if failed is not None:
            raise failed
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _work_on_last(work: Callable[[T], R], items: list[T]) -> R:
    """The result for the last item of a list, taken out: ``work`` may let go of it before its end."""
    return work(items.pop())


@contextmanager
def several_maps(jobs: int | None) -> "Iterator[Callable[[Callable[[T], object], Iterable[T]], object]]":
    """Context with a function that calls a ``work`` for each of some items, ``jobs`` at a time, and waits for all.

    One pool of threads serves all calls. ``jobs`` is the number of cores that may be used if it is None.
    """
    jobs = jobs or usable_cores()
    if jobs == 1:
        yield lambda work, items: deque(map(work, items), maxlen=0)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        yield lambda work, items: deque(pool.map(work, items), maxlen=0)


def merge_all(results: Iterable[R], merge: Callable[[R, R], R]) -> R | None:
    """All results merged into one; None if there are none. SECTION results at a time are merged, left to right, and
    then the sections.
    """
    return merge_sections(results, lambda section: merge_left(section, merge), merge)


def merge_sections(
    items: Iterable[T], reduce: Callable[[Iterator[T]], R | None], merge: Callable[[R, R], R]
) -> R | None:
    """The results that ``reduce`` gives for each SECTION consecutive items, merged into one; None for no items."""
    iterator = iter(items)
    total: R | None = None
    while (found := reduce(islice(iterator, SECTION))) is not None:
        total = found if total is None else merge(total, found)
    return total


def merge_left(results: Iterable[R], merge: Callable[[R, R], R]) -> R | None:
    """All results merged into one, left to right; None for no results."""
    total: R | None = None
    for result in results:
        total = result if total is None else merge(total, result)
    return total
