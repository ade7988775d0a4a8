"""A contract for import-linter: each room uses the libraries that it names, and no others."""

from __future__ import annotations

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class LibrariesContract(Contract):
    """`rooms` has a line for each: `runtime.session: numpy onnxruntime`.

    A module may use what the lines name that name it or a package around it; where there is none,
    the standard library alone. A line that allows what nobody uses is wrong too.
    """

    type_name = "libraries"
    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        rooms = dict(line.split(":") for line in self.rooms)  # type: ignore[attr-defined]  # a field
        idle = {(room, library) for room, names in rooms.items() for library in names.split()}
        allowed, strays = frozenset(idle), []
        for module in sorted(graph.modules):
            if not module.startswith("firstread."):
                continue
            around = _around(module.removeprefix("firstread."))
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                library = imported.partition(".")[0]
                if library == "firstread" or library in sys.stdlib_module_names:
                    continue
                by = {(room, library) for room in around} & allowed
                idle -= by
                if not by:
                    strays.append(f"{module} -> {library}")
        return ContractCheck(
            kept=not strays and not idle, metadata={"strays": strays, "idle": idle}
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        for stray in check.metadata["strays"]:
            output.print_error(f"{stray}: the room does not name this library.", bold=False)
        for room, library in sorted(check.metadata["idle"]):
            output.print_error(f"{room}: {library} is allowed, and not used there.", bold=False)


def _around(module: str) -> list[str]:
    """The module and the packages around it."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
