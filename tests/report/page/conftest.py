"""A browser without a window, and lesson pages open in it."""

import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

BROWSER, DRIVER = "chromium", "chromedriver"
NUMBERS = count()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Debian's Chromium with its driver; no network, and a log of its console."""
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    found = {name: shutil.which(name) for name in (BROWSER, DRIVER)}
    for name, path in found.items():
        if path is None:
            pytest.skip(f"{name} is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = found[BROWSER] or ""
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1200,1000"):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(found[DRIVER]))
    browser.set_script_timeout(60)
    yield browser
    browser.quit()


class OpenPage:
    """A lesson page in the browser. Script is run in it with ``lesson`` as the page's own handle."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser, self.path = browser, path

    def at(self, address: str = "") -> "OpenPage":
        """Open it anew with an address such as ``#lr=0.3&k=12``."""
        self.browser.get_log("performance")
        # Another question makes it another page, which the process of the one before shows as well.
        self.browser.get(f"file://{self.path}?{next(NUMBERS)}{address}")
        self.wait("return document.querySelector('h1') !== null")
        # Charts are drawn once more when the page has given them their size.
        self.browser.execute_async_script(
            "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50)))"
        )
        return self

    def run(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns."""
        return self.browser.execute_script(script, *arguments)

    def wait(self, script: str) -> None:
        """Wait until a script returns true."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.browser, 10, 0.02).until(lambda browser: browser.execute_script(script))

    def settled(self) -> "OpenPage":
        """Wait until everything is drawn and the address written."""
        self.browser.execute_async_script("setTimeout(() => requestAnimationFrame(arguments[0]), 330)")
        return self

    def all(self, selector: str) -> list[Any]:
        """The elements of a selector."""
        from selenium.webdriver.common.by import By

        found: list[Any] = self.browser.find_elements(By.CSS_SELECTOR, selector)
        return found

    def text(self, selector: str) -> str:
        """The text of the first element of a selector."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for pages, and for data that several of them are of."""
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def page(chromium: Any, folder: Path, gdfit: Callable[..., Any]) -> Iterator[Callable[..., OpenPage]]:
    """Run a command line with ``--plot``, once, and open the page; at the end its console must be silent."""

    def open_page(*words: object, address: str = "") -> OpenPage:
        path = folder / f"{sha256(repr(words).encode()).hexdigest()[:16]}.html"
        if not path.exists():
            done = gdfit(*words, "--plot", path, "-q")
            assert done.code in (0, 3), done.err
        return OpenPage(chromium, path).at(address)

    chromium.get_log("browser")
    yield open_page
    assert [entry["message"] for entry in chromium.get_log("browser")] == []
