#!/bin/sh
# Builds the kernels with user_events that the VM tests boot, from Debian's packages of the kernel
# source, and writes them with a SHA256SUMS to .cache/kernels, where the tests look for them.
#
# usage: build.sh [--configure-only] [6.12-user-events | 6.12-user-events-btf | 6.1-user-events]...
#
# Without a name it builds all three. One takes 10 minutes on two cores, and 4 GB of disk in
# .cache/kernel-build, which can be deleted afterwards.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache
images=$cache/kernels
work=$cache/kernel-build
packages="bc bison build-essential dwarves flex libelf-dev libssl-dev lz4 xz-utils"

configure_only=
if [ "${1-}" = --configure-only ]; then
  configure_only=yes
  shift
fi
[ $# -gt 0 ] || set -- 6.12-user-events 6.12-user-events-btf 6.1-user-events

missing=$(for package in $packages; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok' || echo "$package"
done)
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086 # one word a package
  echo "missing packages; run: apt-get install" $missing >&2
  exit 69
fi

# source_of VERSION: unpacks Debian's newest source of a kernel
source_of() {
  [ ! -d "$work/linux-source-$1" ] || return 0
  (
    cd "$work"
    apt-get download -q -o APT::Sandbox::User=root "linux-source-$1"
    dpkg -x linux-source-"$1"_*.deb "package-$1"
    tar -xf "package-$1/usr/src/linux-source-$1.tar.xz"
    rm -r linux-source-"$1"_*.deb "package-$1"
  )
}

# configure NAME VERSION: every symbol that no fragment names is off
configure() {
  output=$work/$1
  mkdir -p "$output"
  cat "$here/fragment.config" "$here/fragment-$2.config" >"$output/fragment.config"
  case $1 in *-btf) cat "$here/fragment-btf.config" >>"$output/fragment.config" ;; esac
  make -s -C "$work/linux-source-$2" O="$output" KCONFIG_ALLCONFIG="$output/fragment.config" \
    allnoconfig
  # kconfig drops a symbol whose dependencies are not met without a word.
  dropped=$(grep '^CONFIG_' "$output/fragment.config" | grep -vxFf "$output/.config" || true)
  if [ -n "$dropped" ]; then
    printf '%s: the source does not take these options:\n%s\n' "$1" "$dropped" >&2
    exit 1
  fi
}

# The same names wherever it is built
export KBUILD_BUILD_USER=sonde KBUILD_BUILD_HOST=sonde

mkdir -p "$images" "$work"
for name in "$@"; do
  case $name in
    6.12-user-events | 6.12-user-events-btf) version=6.12 ;;
    6.1-user-events) version=6.1 ;;
    *)
      echo "unknown kernel \"$name\"" >&2
      exit 2
      ;;
  esac
  source_of "$version"
  configure "$name" "$version"
  [ -z "$configure_only" ] || continue
  make -s -C "$work/linux-source-$version" O="$work/$name" -j"$(nproc)" bzImage
  cp "$work/$name/arch/x86/boot/bzImage" "$images/bzImage-$name"
  (cd "$images" && sha256sum bzImage-* >SHA256SUMS)
  echo "$images/bzImage-$name"
done
