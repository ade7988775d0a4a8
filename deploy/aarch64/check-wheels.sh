#!/bin/sh
# Says whether everything that is locked for a server and for an edge comes as a wheel for 64-bit ARM
# with glibc 2.28 or later (Raspberry Pi OS 12 and 13, Debian, Ubuntu), so that no compiler is needed.
# Asks the package index; run it after `make lock`. PYTHONS names the Python versions.
set -eu
cd "$(dirname "$0")/../.."
failed=0
for python in ${PYTHONS:-3.11 3.13}; do
    for locked in server edge; do
        if .venv/bin/pip install -q --dry-run --target .aarch64/nowhere --no-deps --require-hashes \
            --only-binary :all: --python-version "$python" --implementation cp \
            --platform manylinux_2_28_aarch64 --platform manylinux_2_17_aarch64 \
            --platform manylinux2014_aarch64 -r "requirements/$locked.txt"; then
            echo "Python $python: every wheel of requirements/$locked.txt is there"
        else
            failed=1
        fi
    done
done
exit $failed
