#!/usr/bin/env bash
# tools/bootstrap.sh [EXTRA...]: an installed refpix in .venv, from a bare Debian or Ubuntu.
#
# Finds Python >= 3.10, a C++20 compiler and libjpeg-turbo's headers; what is missing is installed
# through apt where root or passwordless sudo allows, else the one line to run is printed. EXTRA
# names optional dependency groups of pyproject.toml (dev, bench, torch). Repeating is cheap: steps
# are stamped with a hash of what they depend on, and the CMake build in build/ is incremental.
#
#   PYTHON=python3.12   which Python (default: the first on PATH that will do)
#   REFPIX_TORCH=0      never install torch; 1: install it even if that is the CUDA build;
#                       a requirement, e.g. torch==2.9.0: install that
set -euo pipefail
cd "$(dirname "$0")/.."

readonly venv=.venv
readonly stamps=$venv/refpix-stamps
readonly torch_pin=2.13.0 # the version the tests were last run with

say() { printf 'bootstrap: %s\n' "$*"; }
fail() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

# --- what the system must have -------------------------------------------------------------------

python_is_new() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }
python_has_venv() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }
python_has_headers() {
    "$1" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' 2>/dev/null
}

# A Python that lacks nothing wins over one that apt would have to complete.
find_python() {
    local candidate found=
    local candidates=(python3 python3.13 python3.12 python3.11 python3.10 python3.14 /usr/bin/python3)
    if [ -n "${PYTHON:-}" ]; then
        candidates=("$PYTHON")
    fi
    for candidate in "${candidates[@]}"; do
        if python_is_new "$candidate"; then
            if python_has_venv "$candidate" && python_has_headers "$candidate"; then
                found=$candidate
                break
            fi
            found=${found:-$candidate}
        fi
    done
    [ -z "$found" ] || "$found" -c 'import sys; print(sys.executable)'
}

compiles() { "${CXX:-c++}" -std=c++20 -x c++ -fsyntax-only - >/dev/null 2>&1; }
has_compiler() { compiles <<<'#include <span>
#include <thread>
int main() { return std::span<int>().size(); }'; }
has_jpeg() { compiles <<<'#include <cstdio>
#include <jpeglib.h>
int main() { return LIBJPEG_TURBO_VERSION_NUMBER == 0; }'; }

distribution() { (. /etc/os-release 2>/dev/null && echo "${ID:-} ${ID_LIKE:-}") || true; }

# Debian packages for what is missing, one a line.
missing_packages() {
    local python=$1 version
    if [ -z "$python" ]; then
        printf '%s\n' python3 python3-venv python3-dev
    else
        version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        python_has_venv "$python" || echo "$version-venv"
        python_has_headers "$python" || echo "$version-dev"
    fi
    has_compiler || echo g++
    if ! has_compiler || ! has_jpeg; then
        case " $(distribution) " in
            *" ubuntu "*) echo libjpeg-turbo8-dev ;;
            *) echo libjpeg62-turbo-dev ;;
        esac
    fi
}

apt_line() { echo "sudo apt-get update && sudo apt-get install -y $*"; }

install_packages() {
    local sudo=()
    if ! command -v apt-get >/dev/null; then
        fail "this system has no apt. Please install what these Debian packages hold: $*"
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            fail "missing: $*. Please run:
    $(apt_line "$@")"
        fi
        sudo=(sudo -n env)
    fi
    say "installing $* through apt"
    "${sudo[@]}" apt-get update -qq || say "apt-get update failed; trying the lists as they are"
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@" \
        >/dev/null </dev/null || fail "apt could not install what is missing. To see why:
    $(apt_line "$@")"
}

check_system() {
    local packages
    python=$(find_python)
    mapfile -t packages < <(missing_packages "$python")
    if [ "${#packages[@]}" -eq 0 ]; then
        return
    fi
    install_packages "${packages[@]}"
    python=$(find_python)
    mapfile -t packages < <(missing_packages "$python")
    if [ "${#packages[@]}" -ne 0 ]; then
        fail "still missing after installing through apt: ${packages[*]}
    Wanted: Python >= 3.10 with venv and headers, a C++20 compiler (gcc 10, clang 12 or newer, or
    CXX=...), libjpeg-turbo's jpeglib.h."
    fi
}

# --- stamps --------------------------------------------------------------------------------------

stamp_is() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }
set_stamp() { printf '%s\n' "$2" >"$stamps/$1"; }

# All that an installed refpix is made of. Built in-place extensions and caches do not count.
hash_sources() {
    {
        find csrc python -type f ! -name '*.so' ! -name '*.pyc' -print0 | LC_ALL=C sort -z |
            xargs -0 sha256sum
        sha256sum pyproject.toml CMakeLists.txt README.md
        command -v nvcc || true
        env | grep -E '^(CXX|CXXFLAGS|CMAKE_ARGS|REFPIX_CUDA)=' | sort || true
    } | sha256sum | cut -d' ' -f1
}

# --- the virtual environment ---------------------------------------------------------------------

venv_is_good() {
    [ -f "$stamps/place" ] && stamp_is place "$PWD" && python_is_new "$venv/bin/python" &&
        { [ -z "${PYTHON:-}" ] || [ "$(version_of "$PYTHON")" = "$(version_of "$venv/bin/python")" ]; }
}
version_of() { "$1" -c 'import sys; print(sys.version_info[:3])' 2>/dev/null; }

make_venv() {
    say "creating $venv with $("$python" --version) ($python)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    mkdir -p "$stamps"
    pip install --upgrade 'pip>=24.1'
    set_stamp place "$PWD"
}

pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$1" -q "${@:2}" </dev/null; }

# Build requirements go into the environment: an isolated build would have new paths every time and
# compile everything anew. scikit-build-core itself knows whether cmake and ninja are good enough.
install_build_requirements() {
    local listed requirements
    listed=$("$venv/bin/python" - <<'PY'
try:
    import tomllib
except ImportError:
    from pip._vendor import tomli as tomllib
with open("pyproject.toml", "rb") as file:
    print("\n".join(tomllib.load(file)["build-system"]["requires"]))
PY
    )
    mapfile -t requirements <<<"$listed"
    pip install "${requirements[@]}"
    listed=$("$venv/bin/python" -c '
from scikit_build_core.build import get_requires_for_build_wheel
print("\n".join(get_requires_for_build_wheel()))')
    if [ -n "$listed" ]; then
        mapfile -t requirements <<<"$listed"
        say "from PyPI, as the system's are absent or too old: ${requirements[*]}"
        pip install "${requirements[@]}"
    fi
}

install_package() {
    say "building and installing refpix: minutes the first time, more where there is nvcc"
    install_build_requirements
    # venv/bin first: cmake and ninja may have come from PyPI.
    PATH="$PWD/$venv/bin:$PATH" pip install --no-build-isolation .
}

# The requirements of an extra, torch left out.
install_extra() {
    local listed requirements
    listed=$("$venv/bin/python" - "$1" <<'PY'
import importlib.metadata, sys
from pip._vendor.packaging.requirements import Requirement

extra = sys.argv[1]
metadata = importlib.metadata.metadata("refpix")
if extra not in metadata.get_all("Provides-Extra", []):
    sys.exit(f"bootstrap: pyproject.toml has no extra {extra!r}")
for text in metadata.get_all("Requires-Dist", []):
    requirement = Requirement(text)
    marker = requirement.marker
    if marker and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": extra}):
        if requirement.name != "torch":
            print(f"{requirement.name}{requirement.specifier}")
PY
    )
    if [ -n "$listed" ]; then
        mapfile -t requirements <<<"$listed"
        say "installing what the extra '$1' needs"
        pip install "${requirements[@]}"
    fi
}

# What pip would take for $1 and whether that drags in CUDA packages (gigabytes, of no use to tests):
# prints cpu, cuda or none.
kind_of_build() {
    if ! pip install --dry-run --no-deps --report "$venv/torch.json" "$1" >/dev/null 2>&1; then
        echo none
        return
    fi
    "$venv/bin/python" - "$venv/torch.json" <<'PY'
import json, re, sys
from pip._vendor.packaging.requirements import Requirement

with open(sys.argv[1]) as file:
    torch = json.load(file)["install"][0]["metadata"]
needed = [Requirement(text) for text in torch.get("requires_dist", [])]
names = [r.name for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
print("cuda" if any(re.match("nvidia|cuda|triton", name) for name in names) else "cpu")
PY
}

# Tests that need torch skip themselves without it, so its absence is a note, not an error.
install_torch() {
    local candidate kind
    if "$venv/bin/python" -c 'import torch' 2>/dev/null; then
        return
    fi
    case "${REFPIX_TORCH:-auto}" in
        0) say "leaving torch out (REFPIX_TORCH=0)" ;;
        1) pip install 'torch>=2.4' ;;
        auto)
            for candidate in "torch==$torch_pin+cpu" "torch==$torch_pin" 'torch>=2.4'; do
                kind=$(kind_of_build "$candidate")
                if [ "$kind" = cpu ]; then
                    say "installing $candidate"
                    pip install "$candidate"
                    return
                fi
            done
            say "leaving torch out: pip finds no CPU build. Tests that need it will be skipped."
            say "To have it: $venv/bin/pip install a CPU build, or REFPIX_TORCH=1 for any build."
            ;;
        *) pip install "$REFPIX_TORCH" ;;
    esac
}

# --- in turn -------------------------------------------------------------------------------------

sources=$(hash_sources)
requirements=$(sha256sum pyproject.toml | cut -d' ' -f1)

if ! venv_is_good; then
    check_system
    make_venv
fi
if ! stamp_is package "$sources"; then
    if [ -z "${python:-}" ]; then
        PYTHON=${PYTHON:-$PWD/$venv/bin/python} check_system
    fi
    rm -f "$stamps/package"
    install_package
    set_stamp package "$sources"
fi
for extra in "$@"; do
    if ! stamp_is "extra-$extra" "$requirements"; then
        install_extra "$extra"
        set_stamp "extra-$extra" "$requirements"
    fi
    if ! stamp_is torch "${REFPIX_TORCH:-auto} $torch_pin"; then
        install_torch
        set_stamp torch "${REFPIX_TORCH:-auto} $torch_pin"
    fi
done
