#!/usr/bin/env bash
# tools/wheel_jpeg.sh: libjpeg-turbo into /usr/local of a manylinux container, and its licenses into
# /usr/local/share/refpix-licenses, from where CMake puts them into the wheel (REFPIX_LICENSES).
#
# The release that Pillow 13's wheels carry: the container's own, 1.5, decodes some files otherwise and
# cannot skip rows. With SIMD, as the library's plain C code gives other pixels for damaged files.
set -euo pipefail

readonly commit=c85e6b905bf237038faa936dab160ebfc5da0344 # 3.2.0
readonly source=/tmp/libjpeg-turbo licenses=/usr/local/share/refpix-licenses

[ "$(uname -m)" != x86_64 ] || dnf install -y nasm
command -v cmake >/dev/null || pipx install cmake
git init -q "$source"
git -C "$source" fetch -q --depth 1 https://github.com/libjpeg-turbo/libjpeg-turbo "$commit"
git -C "$source" checkout -q FETCH_HEAD
cmake -S "$source" -B "$source/build" -DCMAKE_BUILD_TYPE=Release -DREQUIRE_SIMD=ON -DENABLE_STATIC=OFF \
    -DWITH_TURBOJPEG=OFF -DWITH_TOOLS=OFF -DWITH_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr/local \
    -DCMAKE_INSTALL_LIBDIR=lib
cmake --build "$source/build" -j "$(nproc)" --target install
echo /usr/local/lib >/etc/ld.so.conf.d/usr-local.conf
ldconfig
mkdir -p "$licenses"
cp "$source/LICENSE.md" "$licenses/libjpeg-turbo.md"
cp "$source/README.ijg" "$licenses/libjpeg.txt"
