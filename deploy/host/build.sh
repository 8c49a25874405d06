#!/bin/sh
# Packs what a host without a cluster needs, from what `make build` left: bin/tb, the jars, a systemd
# unit, an example policy. The same input gives the same archive.
#
#   build.sh FOLDER   where tokenbucket-VERSION.tar.gz goes
set -eu
folder=$(readlink -m "${1:?which folder}")
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$("$root/bin/tb" --version | sed 's/^tb //')
epoch=$(date -d "$(sed -n 's:.*<project.build.outputTimestamp>\(.*\)</.*:\1:p' "$root/pom.xml")" +%s)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

home=$work/tokenbucket-$version
mkdir -p "$home/bin" "$home/examples" "$folder"
cp "$root/bin/tb" "$root/bin/tb.options" "$home/bin/"
cp "$root/node-agent/target/tokenbucket-node-agent-$version.jar" "$home/tokenbucket-node-agent.jar"
cp -r "$root/node-agent/target/lib" "$home/lib"
cp "$root/deploy/host/tokenbucket-agent.service" "$root/LICENSE" "$root/CHANGELOG.md" "$home/"
cp "$root/deploy/samples/node-wide.yaml" "$home/examples/"
tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw \
    -C "$work" -c "tokenbucket-$version" | gzip -n >"$folder/tokenbucket-$version.tar.gz"
echo "$folder/tokenbucket-$version.tar.gz"
