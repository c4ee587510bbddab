#!/bin/sh
# Installs what the VM tests need on Debian 12, and downloads Debian's cloud kernels into
# .cache/kernels. Run it as root. It is quick when everything is there.
set -eu
repository=$(cd "$(dirname "$0")/../.." && pwd)
kernels=$repository/.cache/kernels
packages="busybox-static qemu-system-x86 xz-utils"

updated=
update() {
  [ -n "$updated" ] || apt-get update -q
  updated=yes
}

missing=$(for package in $packages; do
  dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok' || echo "$package"
done)
if [ -n "$missing" ]; then
  update
  # shellcheck disable=SC2086 # one word a package
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
fi

# newest REGEX: the newest signed kernel package whose name matches
newest() {
  apt-cache search --names-only "$1" | cut -d' ' -f1 | sort -V | tail -n 1
}

# fetch NAME REGEX: unpacks a kernel package into .cache/kernels/NAME
fetch() {
  [ ! -d "$kernels/$1" ] || return 0
  package=$(newest "$2")
  if [ -z "$package" ]; then
    update
    package=$(newest "$2")
  fi
  if [ -z "$package" ]; then
    echo "no package matches $2: are Debian 12 and its security updates among the apt sources?" >&2
    exit 1
  fi
  work=$(mktemp -d "$kernels/.fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  (
    cd "$work"
    apt-get download -q -o APT::Sandbox::User=root "$package"
    dpkg -x ./*.deb root
  )
  mv "$work/root" "$kernels/$1"
  rm -r "$work"
  echo "$1: $package"
}

mkdir -p "$kernels"
fetch 6.12-debian '^linux-image-6\.12\.[0-9]+\+deb12-cloud-amd64$'
fetch 6.1-debian '^linux-image-6\.1\.0-[0-9]+-cloud-amd64$'
