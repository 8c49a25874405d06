#!/bin/sh
# Packs the kubectl plugin, and fills in its manifest for krew. The same input gives the same archive.
#
#   build.sh FOLDER   where kubectl-tokenbucket-VERSION.tar.gz and tokenbucket.yaml go
#   RELEASE_URL       where the archive will be downloaded from; without it, install the archive from
#                     the file: kubectl krew install --manifest=tokenbucket.yaml --archive=FILE
set -eu
folder=$(readlink -m "${1:?which folder}")
root=$(cd "$(dirname "$0")/../.." && pwd)
version=$(sed -n 's/^appVersion: //p' "$root/deploy/helm/tokenbucket/Chart.yaml")
epoch=$(date -d "$(sed -n 's:.*<project.build.outputTimestamp>\(.*\)</.*:\1:p' "$root/pom.xml")" +%s)
archive=kubectl-tokenbucket-$version.tar.gz
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$folder"
cp "$root/bin/kubectl-tokenbucket" "$root/bin/kubectl_complete-tokenbucket" "$root/LICENSE" "$work/"
tar --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner --mode=go=rX,u+rw \
    -C "$work" -c kubectl-tokenbucket kubectl_complete-tokenbucket LICENSE | gzip -n >"$folder/$archive"
sum=$(sha256sum "$folder/$archive")
url=${RELEASE_URL:-https://unpublished.invalid}/$archive
sed -e '/^#/d' -e "s|VERSION|$version|; s|URL|$url|; s|SHA256|${sum%% *}|" \
    "$root/deploy/krew/tokenbucket.yaml" >"$folder/tokenbucket.yaml"
echo "$folder/$archive"
echo "$folder/tokenbucket.yaml"
