"""What all tests share: a clinic of their own, and skips that may be forbidden."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell has what it runs in the background ignore Ctrl-C, and so would all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault(
    "DJANGO_ALLOW_ASYNC_UNSAFE", "1"
)  # Playwright keeps a loop in the main thread
if TYPE_CHECKING:
    from tests.clinic_for_tests import Clinic

_KEPT = ("FIRSTREAD_DATASETS", "FIRSTREAD_REQUIRE_ALL", "FIRSTREAD_TEST_DATABASE")
for _name in [name for name in os.environ if name.startswith("FIRSTREAD_")]:
    if _name not in _KEPT:
        del os.environ[_name]  # a developer's own clinic must not be tested on
_HOME = Path(tempfile.mkdtemp(prefix="firstread-tests-"))
os.environ["FIRSTREAD_HOME"] = str(_HOME)
os.environ["FIRSTREAD_SECRET_KEY"] = "a key for the tests that guards nothing at all"
os.environ["FIRSTREAD_PACKS"] = str(_HOME / "shelf")
os.environ["FIRSTREAD_CACHE"] = str(_HOME / "cache")

from tests.postgresql_for_tests import Postgresql, start_postgresql  # noqa: E402

_SERVER: Postgresql | None = None
if os.environ.get("FIRSTREAD_TEST_DATABASE") == "postgresql":
    _SERVER = start_postgresql()
    os.environ["FIRSTREAD_DATABASE_URL"] = _SERVER.url
os.environ["DJANGO_SETTINGS_MODULE"] = "firstread.server.settings"

from django.conf import settings  # noqa: E402

if _SERVER is not None and "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
    raise pytest.UsageError(
        "Django was set up before PostgreSQL was started. Unset DJANGO_SETTINGS_MODULE."
    )
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if "sqlite" in settings.DATABASES["default"]["ENGINE"]:
    # A file, as in a clinic: threads and processes see the same rows.
    # Kept beside what Django may have filled in already: it does so when it first looks.
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(_HOME / "test.sqlite3")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Each process of a parallel run makes a clinic of its own, so it inherits none."""
    if session.config.getoption("dist", "no") != "no" and not hasattr(
        session.config, "workerinput"
    ):
        for name in (
            "DJANGO_SETTINGS_MODULE",
            "FIRSTREAD_HOME",
            "FIRSTREAD_PACKS",
            "FIRSTREAD_CACHE",
        ):
            os.environ.pop(name, None)


def pytest_unconfigure() -> None:
    if _SERVER is not None:
        _SERVER.stop()
    shutil.rmtree(_HOME, ignore_errors=True)


_FORBIDDEN = "skipped, and FIRSTREAD_REQUIRE_ALL forbids skips for want of a program or library"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where FIRSTREAD_REQUIRE_ALL is set every program has to be there; data and devices need not
    be."""
    report = yield
    marked = any(item.get_closest_marker(name) is not None for name in ("data", "hardware"))
    may_skip = hasattr(report, "wasxfail") or marked
    if report.skipped and os.environ.get("FIRSTREAD_REQUIRE_ALL") and not may_skip:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} {_FORBIDDEN}: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips because it cannot import a library."""
    report = yield
    if report.skipped and os.environ.get("FIRSTREAD_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} {_FORBIDDEN}: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.fixture(scope="session")
def shelf() -> Path:
    """The shelf that FIRSTREAD_PACKS names, with the packs `colour` and `sizes`."""
    from tests.packs_for_tests import make_pack

    folder = _HOME / "shelf"
    if not (folder / "sizes").exists():
        folder.mkdir(exist_ok=True)  # a test of an import may have put a pack there
        make_pack(folder)
        make_pack(folder, kind="measurements")
    return folder


@pytest.fixture(scope="session")
def beats_shelf(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What FIRSTREAD_PACKS says where the pack `beats`, which reads recordings, is there too."""
    from tests.packs_for_tests import make_recording_pack

    return os.pathsep.join(
        [str(shelf), str(make_recording_pack(tmp_path_factory.mktemp("b")).parent)]
    )


@pytest.fixture
def clinic(db: None, shelf: Path) -> Clinic:
    """A clinic with people and checks, in a transaction that is undone."""
    from tests.clinic_for_tests import open_clinic

    return open_clinic()


@pytest.fixture
def committed_clinic(transactional_db: None, shelf: Path) -> Clinic:
    """The same with rows that other threads and processes see."""
    from tests.clinic_for_tests import open_clinic

    return open_clinic()
