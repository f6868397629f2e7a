"""Blocks side by side in threads, and folded in a shape that depends on their number alone."""

import threading
import time
import weakref
from collections.abc import Iterator
from itertools import islice

import pytest

from gdcli.base.parallel import SECTION, merge_all, ordered_map, put_back


@pytest.mark.parametrize("jobs", [1, 2, 3, 20])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 100])
def test_results_come_in_the_order_of_the_items(jobs: int, count: int) -> None:
    def work(item: int) -> int:
        time.sleep(0.002 if item % 3 == 0 else 0)
        return item * item

    assert list(ordered_map(work, range(count), jobs)) == [i * i for i in range(count)]


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_no_more_items_are_taken_than_can_soon_be_worked_on(jobs: int) -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(50):
            taken += 1
            yield i

    for done, _ in enumerate(ordered_map(lambda item: item, items(), jobs), 1):
        assert taken - done <= jobs


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_an_item_lives_no_longer_than_the_work_on_it(jobs: int) -> None:
    made: list[weakref.ref[set[int]]] = []

    def items() -> Iterator[set[int]]:
        for i in range(20):
            item = {i}
            made.append(weakref.ref(item))
            yield item
            del item

    rest = items()
    for done, _ in enumerate(ordered_map(len, put_back(list(islice(rest, 2)), rest), jobs), 1):
        assert sum(one() is not None for one in made) <= max(len(made) - done, 1)
    assert len(made) == done == 20


@pytest.mark.parametrize("jobs", [2, 3])
def test_as_many_items_are_worked_on_at_a_time_as_there_are_jobs(jobs: int) -> None:
    meeting = threading.Barrier(jobs, timeout=10)
    assert list(ordered_map(lambda item: meeting.wait() >= 0, range(jobs * 4), jobs)) == [True] * jobs * 4


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_first_error_in_order_is_the_one_raised(jobs: int) -> None:
    def work(item: int) -> int:
        if item in (4, 5, 9):
            time.sleep(0.02 if item == 4 else 0)
            raise ValueError(item)
        return item

    found = []
    with pytest.raises(ValueError, match="4"):
        found.extend(ordered_map(work, range(20), jobs))


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_of_an_item_comes_before_one_of_the_items_after_it(jobs: int) -> None:
    # A bad cell in an early block, a damaged archive after it: the number of jobs must not choose the message.
    def items() -> Iterator[int]:
        yield from range(3)
        raise OSError("damaged")

    def work(item: int) -> int:
        time.sleep(0.01)
        if item == 1:
            raise ValueError("bad cell")
        return item

    with pytest.raises(ValueError, match="bad cell"):
        list(ordered_map(work, items(), jobs))


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_error_of_the_items_is_raised(jobs: int) -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        list(ordered_map(lambda item: item, items(), jobs))


@pytest.mark.parametrize("count", [1, 2, SECTION - 1, SECTION, SECTION + 1, 2 * SECTION, 3 * SECTION + 5])
def test_groups_fold_left_and_then_the_groups_fold_left(count: int) -> None:
    def plus(left: str, right: str) -> str:
        return f"({left}+{right})"

    items = [str(i) for i in range(count)]
    groups = []
    for start in range(0, count, SECTION):
        group = items[start]
        for item in items[start + 1 : start + SECTION]:
            group = plus(group, item)
        groups.append(group)
    expected = groups[0]
    for group in groups[1:]:
        expected = plus(expected, group)
    assert merge_all(items, plus) == expected


def test_nothing_folds_into_nothing() -> None:
    assert merge_all([], lambda left, right: left) is None
