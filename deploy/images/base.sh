#!/usr/bin/env bash
# Makes the base image of tests, where no registry of images can be reached: Debian with a JRE and
# libbpf, once per machine and list of packages. Prints the archive's path.
#
#   TOKENBUCKET_CACHE   where it is kept (default: $XDG_CACHE_HOME or ~/.cache, /tokenbucket)
#   BASE_PACKAGES       other packages, with commas between
set -euo pipefail

suite=bookworm
packages=${BASE_PACKAGES:-ca-certificates,libbpf1,openjdk-17-jre-headless}
# shellcheck disable=SC2016  # mmdebstrap expands $1 in hooks
options=(
    --mode=root --variant=apt --include="$packages"
    --dpkgopt='path-exclude=/usr/share/doc/*'
    --dpkgopt='path-include=/usr/share/doc/*/copyright'
    --dpkgopt='path-exclude=/usr/share/man/*'
    --dpkgopt='path-exclude=/usr/share/locale/*'
    # the JRE's alternatives link into it
    --essential-hook='mkdir -p "$1/usr/share/man/man1"'
    --customize-hook='rm -rf "$1"/var/log/* "$1"/var/cache/ldconfig/*'
)
cache=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}/images
base=$cache/base-$(printf '%s\n' "$suite" "${options[@]}" | sha256sum | cut -c 1-16).tar
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9   # two at once make one
if [ ! -e "$base" ]; then
    echo "making a base image of $suite with $packages (about 70 s)" >&2
    SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} \
        mmdebstrap "${options[@]}" "$suite" "$base.partial.tar" >"$base.log" 2>&1 || {
        tail -n 20 "$base.log" >&2
        echo "mmdebstrap failed, so there is no base image; its whole output is in $base.log" >&2
        exit 1
    }
    mv "$base.partial.tar" "$base"
fi
echo "$base"
