#!/bin/sh
# Makes the virtual environment named in $1 with the newest suitable Python found.
set -eu
for python in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue
    # Debian keeps ensurepip in a package of its own; virtualenv does without it.
    "$python" -m venv "$1" >/dev/null 2>&1 && exit 0
    rm -rf "$1"
    "$python" -m virtualenv -q "$1" 2>/dev/null && exit 0
    if "$python" -m venv --without-pip "$1" 2>/dev/null; then
        "$python" -m pip --python "$1/bin/python" install -q pip 2>/dev/null && exit 0
    fi
    rm -rf "$1"
    echo "This Python cannot make a virtual environment. Install it: apt install python3-venv" >&2
    exit 1
done
echo "Firstread needs Python 3.11 or later. Install it: apt install python3 python3-venv" >&2
exit 1
