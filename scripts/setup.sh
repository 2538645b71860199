#!/usr/bin/env bash
# Installs what Sightline needs on Debian 12: apt packages, the libraries that npm packages carry,
# and the ONNX Runtime headers. Idempotent; says what it does; works as root and with sudo.
#   setup.sh [--arch x64|arm64]     arm64 adds the cross compiler, a sysroot and an emulator.
set -Eeuo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
deps=$root/.deps
cache=${SIGHTLINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sightline}/downloads
case $(uname -m) in x86_64) host=x64 ;; aarch64) host=arm64 ;; *) echo "setup: unsupported machine $(uname -m)" >&2; exit 1 ;; esac
arch=$host
[ "${1:-}" = --arch ] && arch=$2
say() { printf '\033[1msetup:\033[0m %s\n' "$*"; }
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else echo "setup: needs root for: $*  (run as root or install sudo)" >&2; exit 1; fi
}

trap 'echo "setup: failed at line $LINENO: $BASH_COMMAND" >&2' ERR
debian_mirror() {  # the mirror that this system itself uses
  local found
  found=$(grep -rhv '^#' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
          grep -oE 'https?://[^ ]+/debian/?( |$)' | sed -n '1{s/ //g;p}') || true
  echo "${found:-http://deb.debian.org/debian}"
}

# --- apt ---------------------------------------------------------------------------------------
apt_updated=""
apt_install() {
  local missing=()
  for p in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null || true)" = installed ] || missing+=("$p")
  done
  if [ ${#missing[@]} = 0 ]; then return; fi
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  [ -n "$apt_updated" ] || { as_root apt-get update -qq; apt_updated=1; }
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
mapfile -t packages < <(grep -v '^#' "$root/scripts/apt-packages.txt" | grep .)
apt_install "${packages[@]}"
command -v npm >/dev/null || apt_install npm
say "Debian packages are in place"

# --- libraries carried by npm packages -----------------------------------------------------------
mkdir -p "$cache" "$deps"
fetch_npm() {  # name -> path of the verified tarball on stdout
  local name=$1 version integrity file
  read -r _ version integrity < <(grep "^$name " "$root/scripts/npm-packages.txt")
  file=$cache/$(echo "$name" | tr -d @ | tr / -)-$version.tgz
  check() { [ "sha512-$(openssl dgst -sha512 -binary "$1" | openssl base64 -A)" = "$integrity" ]; }
  if [ ! -f "$file" ] || ! check "$file"; then
    say "fetching $name $version" >&2
    local tmp; tmp=$(mktemp -d "$cache/.fetch.XXXXXX")
    (cd "$tmp" && npm pack --silent --ignore-scripts "$name@$version" >/dev/null 2>&1) ||
      { rm -rf "$tmp"; echo "setup: cannot fetch $name@$version with npm" >&2; exit 1; }
    mv "$tmp"/*.tgz "$file"; rm -rf "$tmp"
    check "$file" || { rm -f "$file"; echo "setup: $name@$version does not have the pinned digest" >&2; exit 1; }
  fi
  echo "$file"
}
unpack() {  # tarball, member, destination file
  [ -f "$3" ] && [ "$3" -nt "$1" ] && return
  mkdir -p "$(dirname "$3")"
  tar -xzOf "$1" "$2" > "$3.tmp" && mv "$3.tmp" "$3"
}
install_npm_libraries() {  # architecture in npm's words
  local a=$1 file
  file=$(fetch_npm onnxruntime-node)
  unpack "$file" "package/bin/napi-v6/linux/$a/libonnxruntime.so.1" "$deps/$a/onnxruntime/lib/libonnxruntime.so.1"
  ln -sf libonnxruntime.so.1 "$deps/$a/onnxruntime/lib/libonnxruntime.so"
  file=$(fetch_npm "@duckdb/node-bindings-linux-$a")
  unpack "$file" package/libduckdb.so "$deps/$a/duckdb/lib/libduckdb.so"
  file=$(fetch_npm duckdb)
  unpack "$file" package/src/duckdb/src/include/duckdb.h "$deps/$a/duckdb/include/duckdb.h"
}
install_npm_libraries "$arch"

# --- ONNX Runtime's C++ headers: Debian's package of the next release, unpacked and not installed ---
fetch_deb() {  # package, suite, architecture -> unpacked into $4 ; uses the system's own mirror
  local package=$1 suite=$2 a=$3 into=$4 lists=$deps/apt/$2-$3
  [ -f "$into/.unpacked-$package" ] && return
  say "fetching the Debian package $package ($suite, $a)"
  mkdir -p "$lists/lists/partial" "$lists/archives/partial" "$into"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=$a] $(debian_mirror) $suite main" > "$lists/sources.list"
  local options=(-qq -o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$lists/lists" -o "Dir::Cache::archives=$lists/archives" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache="
    -o "APT::Architecture=$a" -o "APT::Architectures=$a" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  (cd "$lists" && rm -f ./*.deb && apt-get "${options[@]}" download "$package" && dpkg-deb -x ./"$package"_*.deb "$into")
  touch "$into/.unpacked-$package"
}
if [ -z "${ONNXRUNTIME_ROOT:-}" ] && [ ! -f /usr/include/onnxruntime/onnxruntime_cxx_api.h ]; then
  fetch_deb libonnxruntime-dev trixie amd64 "$deps/onnxruntime-headers"
fi

# --- arm64: cross compiler, sysroot, emulator ------------------------------------------------------
if [ "$arch" = arm64 ] && [ "$host" = x64 ]; then
  apt_install g++-aarch64-linux-gnu debootstrap
  include=$(printf '%s\n' "${packages[@]}" | grep -E -- '-dev$' | grep -v clang | paste -sd,)
  if [ "$(cat "$deps/arm64/sysroot/.complete" 2>/dev/null)" != "$include" ]; then
    say "making the arm64 sysroot (about a minute)"
    as_root rm -rf "$deps/arm64/sysroot"
    as_root debootstrap --arch=arm64 --foreign --variant=minbase --include="$include" bookworm \
      "$deps/arm64/sysroot" "$(debian_mirror)" > "$deps/arm64/debootstrap.log"
    # The first stage downloads; the packages are unpacked (not configured) so that headers and libraries are there.
    for d in "$deps/arm64/sysroot"/var/cache/apt/archives/*.deb; do as_root dpkg-deb -x "$d" "$deps/arm64/sysroot"; done
    as_root rm -rf "$deps/arm64/sysroot/var/cache/apt/archives"
    # Absolute links point into the sysroot, not into this machine.
    (cd "$deps/arm64/sysroot" && find . -type l -lname '/*' | while read -r l; do
      as_root ln -sfn "$(realpath -m --relative-to="$(dirname "$l")" ".$(readlink "$l")")" "$l"; done)
    echo "$include" | as_root tee "$deps/arm64/sysroot/.complete" >/dev/null
  fi
  # qemu-user 7.2 (bookworm) crashes on ONNX Runtime; the backported version runs it. Unpacked, not installed.
  fetch_deb qemu-user bookworm-backports amd64 "$deps/qemu"
fi
say "ready ($arch)"
