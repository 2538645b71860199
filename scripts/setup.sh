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
debian_mirror() {  # where this system itself gets Debian 12 from
  local found
  found=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
          awk '$2 == "bookworm" && $3 == "main" && !seen++ { print $1 }')
  [ -n "$found" ] || { echo "setup: apt has no source for Debian 12 (bookworm main)" >&2; exit 1; }
  echo "$found"
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
    (cd "$tmp" && npm pack --loglevel=error --ignore-scripts "$name@$version" > out.log 2>&1) ||
      { echo "setup: cannot fetch $name@$version with npm:" >&2; cat "$tmp/out.log" >&2; rm -rf "$tmp"; exit 1; }
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

# --- Debian packages of other suites and machines: fetched with the system's own apt, unpacked and not installed ---
private_apt() {  # suite, architecture -> folder, options: an apt of its own that knows no installed package
  local suite=$1 a=$2
  folder=$deps/apt/$suite-$a
  mkdir -p "$folder/lists/partial" "$folder/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg arch=$a] $(debian_mirror) $suite main" > "$folder/sources.list"
  : > "$folder/status"
  options=(-qq -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$folder/lists" -o "Dir::State::status=$folder/status" -o "Dir::Cache::archives=$folder/archives"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o "APT::Architecture=$a" -o "APT::Architectures=$a" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
}
fetch_deb() {  # package, suite, architecture -> unpacked into $4
  local package=$1 into=$4 folder options
  [ -f "$into/.unpacked-$package" ] && return
  say "fetching the Debian package $package ($2, $3)"
  private_apt "$2" "$3"
  mkdir -p "$into"
  (cd "$folder" && rm -f ./*.deb && apt-get "${options[@]}" download "$package" && dpkg-deb -x ./"$package"_*.deb "$into" && rm -f ./*.deb)
  touch "$into/.unpacked-$package"
}
if [ -z "${ONNXRUNTIME_ROOT:-}" ] && [ ! -f /usr/include/onnxruntime/onnxruntime_cxx_api.h ]; then
  fetch_deb libonnxruntime-dev trixie amd64 "$deps/onnxruntime-headers"
fi

# --- arm64: cross compiler, sysroot, emulator ------------------------------------------------------
make_sysroot() {  # packages…: they and what they need, unpacked, so that headers and libraries are there
  local sysroot=$deps/arm64/sysroot folder options
  [ "$(cat "$sysroot/.complete" 2>/dev/null)" = "$*" ] && return
  say "making the arm64 sysroot (about a minute)"
  private_apt bookworm arm64
  apt-get "${options[@]}" install --yes --download-only --no-install-recommends "$@" > /dev/null
  rm -rf "$sysroot" 2>/dev/null || as_root rm -rf "$sysroot"
  mkdir -p "$sysroot"/usr/{bin,sbin,lib}
  local d; for d in bin sbin lib; do ln -s "usr/$d" "$sysroot/$d"; done
  find "$folder/archives" -name '*.deb' -print0 | xargs -0 -P "$(nproc)" -I{} sh -ec '
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner --no-same-permissions \
      --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale --exclude=./usr/share/gtk-doc' sh {} "$sysroot"
  # Absolute links point into the sysroot, not into this machine.
  (cd "$sysroot" && find . -type l -lname '/*' | while read -r l; do
    ln -sfn "$(realpath -m --relative-to="$(dirname "$l")" ".$(readlink "$l")")" "$l"; done)
  rm -rf "$folder/archives"
  echo "$*" > "$sysroot/.complete"
}
if [ "$arch" = arm64 ] && [ "$host" = x64 ]; then
  apt_install g++-aarch64-linux-gnu
  mapfile -t libraries < <(printf '%s\n' "${packages[@]}" | grep -E -- '-dev$' | grep -v clang)
  make_sysroot "${libraries[@]}"
  # qemu-user 7.2 (bookworm) crashes on ONNX Runtime; the backported version runs it.
  fetch_deb qemu-user bookworm-backports amd64 "$deps/qemu"
fi
say "ready ($arch)"
