#!/bin/sh
# Writes requirements/*.txt: every version with its hashes, no address. Torch stays out: its
# lock would fix one build of many, and pull in gigabytes that a machine without a GPU never uses.
set -eu
cd "$(dirname "$0")/.."
compile() {
    .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-annotate --no-emit-package torch --overrides deploy/no-torch.txt "$@" pyproject.toml
}
compile --extra server --group build -o requirements/server.txt
compile --extra server --extra serve --extra edge --extra screen --extra ray --extra dicom --extra import --extra train \
    --group build --group test --group check --group docs \
    -c requirements/server.txt -o requirements/everything.txt
# What an edge machine installs; also unpacked for the emulated ARM machine.
compile --extra edge --extra serve -c requirements/everything.txt -o requirements/edge.txt
# The servers that ours is measured beside, each in an environment of its own (make peers).
for peer in benchmarks/serving/peers/*/requirements.in; do
    .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-annotate "$peer" -o "${peer%.in}.txt"
done
# Servers that the tests talk to, in an environment of their own (make servers).
.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
    --no-header --no-emit-index-url --no-annotate --group servers -o requirements/servers.txt
