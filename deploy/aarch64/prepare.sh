#!/bin/sh
# Makes .aarch64/: a small Debian for 64-bit ARM with Python and the wheels of an edge, and a QEMU
# that runs it. Needs Debian's apt and dpkg-deb, 140 MB of downloads, and no root. Run again it does
# nothing, unless the wheels or this script changed.
set -eu
cd "$(dirname "$0")/../.."
wheels=requirements/edge.txt
made=$(cat "$wheels" deploy/aarch64/prepare.sh | sha256sum)
[ "$(cat .aarch64/made 2>/dev/null)" = "$made" ] && exit 0
for program in apt-get dpkg-deb; do
    command -v "$program" >/dev/null || { echo "This needs $program: run it on Debian." >&2; exit 1; }
done
rm -rf .aarch64
mkdir -p .aarch64/debian
here=$PWD/.aarch64

# The mirror and release that this machine itself uses.
source=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' |
    grep '/debian/* ' | grep -v -e - | head -1)
mirror=${source% *} release=${source#* }
[ -n "$release" ] || { echo "apt knows no Debian mirror here. Run: apt-get update" >&2; exit 1; }

# own ARCHITECTURE RELEASE apt's words...: apt with lists, cache and packages of its own.
own() {
    arch=$1 from=$2 at=$here/apt/$1-$2
    shift 2
    if [ ! -d "$at" ]; then
        mkdir -p "$at/state/lists/partial" "$at/cache/archives/partial" "$at/parts"
        : >"$at/status"
        signed='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'
        echo "deb $signed $mirror $from main" >"$at/sources.list"
        own "$arch" "$from" update
    fi
    (cd "$at" && apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::State="$at/state" -o Dir::State::status="$at/status" -o Dir::Cache="$at/cache" \
        -o Dir::Etc::sourcelist="$at/sources.list" -o Dir::Etc::sourceparts="$at/parts" \
        -o APT::Sandbox::User=root "$@")
}

echo "Unpacking Debian $release for arm64 ..."
own arm64 "$release" install --download-only --no-install-recommends -y python3 libstdc++6
for package in "$here/apt/arm64-$release"/cache/archives/*.deb; do
    dpkg-deb -x "$package" .aarch64/debian
done

# Before version 10, QEMU stops at instructions that ONNX Runtime uses from 1.28 on.
version=$(qemu-aarch64 --version 2>/dev/null | sed -nE '1s/.* version ([0-9]+).*/\1/p')
if [ "${version:-0}" -ge 10 ]; then
    ln -s "$(command -v qemu-aarch64)" .aarch64/qemu-aarch64
else
    echo "Fetching a newer QEMU from $release-backports ..."
    arch=$(dpkg --print-architecture)
    own "$arch" "$release-backports" download qemu-user
    dpkg-deb --fsys-tarfile "$here/apt/$arch-$release-backports"/qemu-user_*.deb |
        tar -xO ./usr/bin/qemu-aarch64 >.aarch64/qemu-aarch64
    chmod +x .aarch64/qemu-aarch64
fi

echo "Fetching the wheels ..."
python=$(cd .aarch64/debian/usr/bin && ls python3.*[0-9] | head -1)
.venv/bin/pip install -q --target .aarch64/site --no-deps --require-hashes --only-binary :all: \
    --python-version "${python#python}" --implementation cp --platform manylinux_2_28_aarch64 \
    --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 -r "$wheels"
rm -rf .aarch64/apt
echo "$python" >.aarch64/python
echo "$made" >.aarch64/made
