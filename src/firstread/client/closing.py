"""What holds connections is closed by hand, or by itself where its `with` ends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self


class Closing(ABC):
    """A client that holds connections."""

    @abstractmethod
    def close(self) -> None:
        """Close them; `with` does it by itself."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
