"""Sections of blocks reduced on workers, at the same time, and merged here in their order.

The beginning of a section is certain only when the one before it has been cut into blocks: a line end may lie inside
quotes, and a file may hold one block less than its size suggests. So beginnings are guessed, from sizes and a look at
the text there. Each section tells where it ended; if the next one did not begin there, the guessing begins anew from
that place. The result is right whatever was guessed.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import islice, pairwise
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from gdcli.base.errors import DataError, GdfitError
from gdcli.base.parallel import SECTION
from gdcli.base.records import NamedTuple, record, replace
from gdcli.data.source import OtherFileError, Place, RangeReader
from gdcli.ingest.aggregate import Aggregate
from gdcli.ingest.counts import MOST_NAMED_ROWS
from gdcli.ingest.kept_rows import KeptRows, LocalRows, RowGroup
from gdcli.ingest.one_pass import Part, Reduction

_BEGINNING = Place(0, 0, 0)

# Seconds without a result after which the workers are counted.
_LOOK = 20.0


class Numbered(NamedTuple):
    """An input with rows, and its number among all inputs."""

    file: int
    reader: RangeReader


@record
class Position:
    """The beginning of a block: the index of its input among those with rows, and the place in that input."""

    input: int
    place: Place

    def is_at(self, other: "Position") -> bool:
        """Whether both mark the same byte. Line numbers are ignored: a guessed position has none."""
        return self.input == other.input and self.place[:2] == other.place[:2]


@record(eq=False)
class Section:
    """The aggregate of a section (``reduced``, None if it has no block), its number of blocks (``parts``), and its
    ``end``, the beginning of the block after it.

    ``error`` is the message if the section failed, else ""; ``wrong_file`` is True if the worker found another file
    under this path.
    """

    end: Position
    parts: int
    reduced: Aggregate | None
    error: str = ""
    wrong_file: bool = False

    @property
    def kept(self) -> tuple[KeptRows, ...]:
        """The kept rows of all blocks, as far as they are in this process."""
        groups = () if self.reduced is None else self.reduced.groups
        return tuple(rows for group in groups if isinstance(group, LocalRows) for rows in group.blocks)

    def __sizeof__(self) -> int:
        """The bytes that a cluster would have to move."""
        return object.__sizeof__(self) + sum(rows.bytes for rows in self.kept)

    def without_rows(self) -> "Section":
        """The section without its kept rows."""
        return self if self.reduced is None else replace(self, reduced=replace(self.reduced, groups=()))

    def with_rows(self, group: RowGroup) -> "Section":
        """The section with ``group`` in place of its kept rows."""
        return self if self.reduced is None else replace(self, reduced=replace(self.reduced, groups=(group,)))


class Future(Protocol):
    """The result of a submitted section."""

    def result(self) -> Section:
        """The section; waits for it. One that was lost with its worker is done again."""
        ...

    def cancel(self) -> object:
        """Cancel the section."""
        ...

    def add_done_callback(self, function: Callable[[Any], object], /) -> object:
        """Call a function, from any thread, when the section is done for the first time."""
        ...


Submit = Callable[[Reduction, Sequence[Numbered], Position, int], Future]


def reduce_section(reduction: Reduction, inputs: Iterable[Numbered], start: Position, size: int) -> Section:
    """The section of ``size`` blocks from ``start`` on, reduced; ``inputs`` begin with the input of ``start``.

    It is shorter if the inputs end. Raises DataError.
    """
    end, count = start, 0

    def parts() -> Generator[Part, None, None]:
        nonlocal end, count
        for input, (file, reader) in enumerate(inputs, start.input):
            place = start.place if input == start.input and start.place.block else reader.start
            with closing(reader.blocks(place)) as blocks:
                for number, (block, after) in enumerate(blocks, place.block):
                    end = Position(input + 1, _BEGINNING) if after is None else Position(input, after)
                    count += 1
                    yield Part(file, number, block)

    with closing(parts()) as found:
        whole = reduction.merge_section(map(reduction.reduce, islice(found, size)))
    return Section(end, count, whole)


def reduce_on_worker(reduction: Reduction, inputs: Sequence[Numbered], start: Position, size: int) -> Section:
    """As :func:`reduce_section`, on a worker: errors of rows and files are part of the answer."""
    try:
        return reduce_section(reduction, inputs, start, size)
    except OtherFileError as error:
        return Section(start, 0, None, str(error), wrong_file=True)
    except GdfitError as error:
        return Section(start, 0, None, str(error))


class RangePlan:
    """The inputs with rows, opened when needed, and the most likely beginnings of sections among their blocks."""

    def __init__(self, inputs: Iterator[Numbered]) -> None:
        self._inputs = inputs
        self._opened: list[Numbered] = []
        self._before = [0]
        self._ended: Exception | None = None
        self._blocks: dict[int, int] = {}

    def holds(self, position: Position) -> bool:
        """Whether there is an input at a position, so that rows may follow. Raises the error of opening it."""
        return self._input(position.input) is not None

    def inputs(self, start: Position, end: Position) -> tuple[Numbered, ...]:
        """The inputs that have rows between two positions."""
        return tuple(self._opened[start.input : end.input + (end.place.block > 0)])

    def inputs_from(self, start: Position) -> Iterator[Numbered]:
        """Yield all inputs from a position on."""
        number = start.input
        while (found := self._input(number)) is not None:
            yield found
            number += 1

    def bytes_before(self, position: Position) -> int:
        """The number of bytes of all rows before a position."""
        return self._before[position.input] + position.place.at

    def starts(self, start: Position) -> Iterator[Position]:
        """Yield the likely beginnings of sections, ``start`` first. The last position is the end of all inputs.

        If an input cannot be opened, the sections before it end there, and then the error is raised.
        """
        yield start
        number, block, wanted = start.input, start.place.block, SECTION
        failed: GdfitError | None = None
        try:
            while self._input(number) is not None:
                blocks = max(self._blocks_of(number) - block, 1)
                if blocks > wanted:
                    block, wanted = block + wanted, SECTION
                    yield Position(number, self._guess(number, block))
                else:
                    number, block, wanted = number + 1, 0, wanted - blocks
                    if not wanted and self._input(number) is not None:
                        wanted = SECTION
                        yield Position(number, _BEGINNING)
        except GdfitError as error:
            failed = error
        yield Position(number, _BEGINNING)
        if failed is not None:
            raise failed

    def _input(self, number: int) -> Numbered | None:
        while number >= len(self._opened):
            if self._ended is None:
                try:
                    self._add(next(self._inputs))
                except Exception as ended:
                    self._ended = ended
            elif isinstance(self._ended, StopIteration):
                return None
            else:
                raise self._ended
        return self._opened[number]

    def _add(self, found: Numbered) -> None:
        self._opened.append(found)
        self._before.append(self._before[-1] + found.reader.bytes)

    def _blocks_of(self, number: int) -> int:
        if number not in self._blocks:
            self._blocks[number] = self._opened[number].reader.count_blocks()
        return self._blocks[number]

    def _guess(self, number: int, block: int) -> Place:
        return Place(block, self._opened[number].reader.guess(block), 0)


def reduced_elsewhere(
    reduction: Reduction,
    inputs: Iterator[Numbered],
    submit: Submit,
    ahead: Callable[[], int],
    progress: Callable[[int], object],
) -> Aggregate | None:
    """The aggregate of all inputs, reduced ``ahead`` sections at a time; None if there are none.

    ``ahead`` raises if no worker is left; ``progress`` takes the bytes done.
    """
    plan = RangePlan(inputs)
    whole: Aggregate | None = None
    here = Position(0, _BEGINNING)
    while plan.holds(here):
        with closing(_sections(reduction, plan, here, submit, ahead, progress)) as sections:
            for start, found in sections:
                if not start.is_at(here):
                    break
                named = 0 if whole is None else len(whole.skipped.first)
                known = _confirmed(reduction, plan, found, start, here, named)
                assert known.reduced is not None
                whole = known.reduced if whole is None else reduction.merge(whole, known.reduced)
                here = known.end
    return whole


def _confirmed(
    reduction: Reduction, plan: RangePlan, found: Section, start: Position, here: Position, named: int
) -> Section:
    """The section that begins ``here``, with its lines; reduced in this process if it failed, or if lines are named.

    ``start`` is the same position as it was guessed; ``named`` skipped rows were named before it.
    """
    if found.wrong_file:
        raise DataError(found.error)
    guessed = start.place.block > 0 and not start.place.line
    named_here = found.reduced is not None and (
        (found.reduced.skipped.count > 0 and named < MOST_NAMED_ROWS) or found.reduced.misquoted != ""
    )
    unnamed = guessed and named_here
    if found.error or unnamed or (found.parts < SECTION and plan.holds(found.end)):
        return reduce_section(reduction, plan.inputs_from(here), here, SECTION)
    if guessed and found.end.input == here.input:
        place = found.end.place
        return replace(found, end=Position(here.input, place._replace(line=place.line + here.place.line)))
    return found


def _sections(
    reduction: Reduction,
    plan: RangePlan,
    start: Position,
    submit: Submit,
    ahead: Callable[[], int],
    progress: Callable[[int], object],
) -> Generator[tuple[Position, Section], None, None]:
    """Yield the sections in order, each with its beginning; those that are not taken are cancelled."""
    starts = pairwise(plan.starts(start))
    pending: deque[tuple[Position, Future]] = deque()
    arriving: SimpleQueue[tuple[Position, int]] = SimpleQueue()
    arrived: set[Position] = set()
    done = plan.bytes_before(start)
    failed: GdfitError | None = None
    try:
        while True:
            while failed is None and len(pending) < ahead():
                try:
                    begin, end = next(starts)
                except StopIteration:
                    break
                except GdfitError as error:  # the runs before it come first, and so do their errors
                    failed = error
                    break
                size = plan.bytes_before(end) - plan.bytes_before(begin)
                future = submit(reduction, plan.inputs(begin, end), begin, SECTION)
                future.add_done_callback(partial(_put, arriving, (begin, size)))
                pending.append((begin, future))
            if not pending:
                break
            begin, future = pending[0]
            # What has arrived may be lost again with its worker: it is not asked whether it is done, but waited for.
            while begin not in arrived or not arriving.empty():
                try:
                    position, size = arriving.get(timeout=_LOOK)
                except Empty:
                    ahead()
                    continue
                arrived.add(position)
                done += size
                progress(done)
            found = future.result()
            pending.popleft()
            arrived.discard(begin)
            yield begin, found
        if failed is not None:
            raise failed
    finally:
        for _, future in pending:
            future.cancel()


def _put(arriving: "SimpleQueue[tuple[Position, int]]", what: tuple[Position, int], future: object) -> None:
    arriving.put(what)
