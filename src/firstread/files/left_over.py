"""What systems, storage boxes and programs leave in folders that nobody means to be read."""

from __future__ import annotations

FOLDERS = frozenset({
    "@eadir", "@tmp", "@recycle", "@recently-snapshot", "@sharebin", "@synoeastream", "#recycle",
    "#snapshot", "#recently-snapshot", "$recycle.bin", "$extend", "system volume information",
    "recycler", "recycled", "lost+found", "__macosx", "network trash folder", "temporary items",
    "found.000", "thumbs.db:encryptable",
})  # fmt: skip
"""In lower case: what NAS systems, Windows and Macs keep for themselves."""
FILES = frozenset({"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"})
UNFINISHED = (
    ".part", ".tmp", ".temp", ".crdownload", ".partial", ".filepart", ".download", ".opdownload",
    ".swp", ".swx", ".!ut", ".aria2",
)  # fmt: skip
"""How names end while something is still being copied, downloaded or written."""
_LOCKS = (".lock", ".lck", ".laccdb", ".ldb", "~")
_STREAMS = ("@synoeastream", "@synoresource", ":zone.identifier", ".zone.identifier")


def folder_passed_over(name: str) -> bool:
    """Whether a folder of that name is a system's own.

    >>> [folder_passed_over(name) for name in ("@eaDir", "#recycle", ".Trash-1000", "2026")]
    [True, True, True, False]
    """
    hidden = name.startswith(".") and name not in (".", "..")
    return hidden or name.casefold() in FOLDERS


def passed_over(name: str) -> bool:
    """Whether nobody means this file to be read: hidden, still being copied, or a system's own.

    >>> [passed_over(name) for name in ("865102.jpg", ".865102.jpg.Xa1", "a.jpg.part", "~$a.csv")]
    [False, True, True, True]
    """
    low = name.casefold()
    return (
        low.startswith((".", "~$"))
        or low in FILES
        or low in FOLDERS
        or low.endswith((*UNFINISHED, *_LOCKS, *_STREAMS))
    )


def is_unfinished(name: str) -> bool:
    """Whether the name says that the file is still being written.

    >>> is_unfinished("865102.png.crdownload"), is_unfinished("Thumbs.db")
    (True, False)
    """
    return name.casefold().endswith(UNFINISHED) and not name.startswith((".", "~$"))
