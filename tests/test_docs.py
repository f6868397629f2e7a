"""The documentation is true: each example of README.md and of the topics prints what stands under it."""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from gdcli.cli.foreign_names import synonyms_among
from gdcli.cli.group import COMMANDS, group
from gdcli.cli.help import Option
from gdcli.cli.topics import TOPICS
from tests.docs import PAGES, ROOT, examples, folder_for, lacking, printed, trimmed

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
Output = Future[list[str]]
README = PAGES["README"].read_text(encoding="utf-8")
EXAMPLES = [(name, i, *example) for name, page in PAGES.items() for i, example in enumerate(examples(page))]


@pytest.fixture(scope="module")
def outputs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, forked: Path
) -> Iterator[dict[str, Output]]:
    """What the examples of each page that is tested print, to be waited for: two pages run at a time.

    The examples of a page share a folder, as later ones use the files that earlier ones write.
    """
    names = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(2) as pool:

        def run(name: str, parent: Path) -> list[str]:
            folder = folder_for(name, parent)
            return [printed(command, folder, forked) for command, _ in examples(PAGES[name])]

        yield {name: pool.submit(run, name, tmp_path_factory.mktemp(name)) for name in PAGES if name in names}


@pytest.mark.parametrize(("name", "number", "command", "expected"), EXAMPLES, ids=[f"{e[0]}: {e[2]}" for e in EXAMPLES])
def test_an_example_prints_what_its_page_says(
    name: str, number: int, command: str, expected: str, outputs: dict[str, Output]
) -> None:
    if program := lacking(command):
        pytest.skip(f"{program} is not installed")
    found = outputs[name].result()[number]
    assert NUMBER.sub("#", found) == NUMBER.sub("#", trimmed(expected)), found
    # Numbers in full agree between machines to about twelve digits.
    numbers = [float(number) for number in NUMBER.findall(found)]
    assert numbers == pytest.approx([float(number) for number in NUMBER.findall(expected)], rel=1e-9, abs=1e-9)


def test_the_front_page_is_short_and_shows_a_picture_that_exists() -> None:
    assert len(README.splitlines()) <= 250
    assert len(README.encode()) <= 12_000
    picture = re.search(r"!\[.+\]\((.+\.svg)\)", README)
    assert picture is not None
    assert (ROOT / picture[1]).stat().st_size < 60_000


def test_no_topic_is_unlisted() -> None:
    assert set(TOPICS) == set(PAGES) - {"README"}
    for name, meaning in TOPICS.items():
        assert f"[{name}](gdcli/cli/topics/{name}.md)" in README
        assert meaning


def test_every_topic_that_a_page_names_exists() -> None:
    for page in PAGES.values():
        for name in re.findall(r"`gdfit help ([a-z-]+)`", page.read_text(encoding="utf-8")):
            assert name in {*TOPICS, *COMMANDS}, page


def test_every_link_of_the_front_page_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_on_the_front_page_and_documents_every_option(name: str) -> None:
    assert f"`gdfit {name}" in README
    command = group.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    assert [param.opts for param in command.params if isinstance(param, Option) and not param.help] == []


def test_every_option_that_a_page_names_exists() -> None:
    known = {"--help", "--help-all", "--version"}
    for name in COMMANDS:
        options = {option for param in group.get_command(None, name).params for option in param.opts}  # type: ignore
        known |= options | set(synonyms_among(options))
    # Options of other programs.
    known |= {"--csv", "--icsv", "--ojsonl", "--now", "--protocol", "--dashboard-address", "--long"}
    known |= {"--max-iter", "--delimiter"}
    # Options of `make bench`.
    known |= {"--json", "--against"}
    for page in PAGES.values():
        named = re.findall(r"(?<![\w-])--[a-z][\w-]*", page.read_text(encoding="utf-8"))
        assert set(named) - known == set(), page
