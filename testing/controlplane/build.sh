#!/usr/bin/env bash
# Builds kube-apiserver and kubectl from the modules pinned in go.mod, once per
# machine: the result is cached by version outside the tree. Prints the folder.
#
#   build.sh                what tests of the operator need: etcd, kube-apiserver, kubectl
#   build.sh nodes          kube-controller-manager, kube-scheduler and kubelet as well
#
#   KUBEBUILDER_ASSETS      a folder with these, ready, used as it is
#   TOKENBUCKET_CACHE       where builds are kept (default: $XDG_CACHE_HOME or ~/.cache, /tokenbucket)
set -euo pipefail
cd "$(dirname "$0")"

names=(kube-apiserver kubectl)
case "${1:-}" in
    "") ;;
    nodes) names+=(kube-controller-manager kube-scheduler kubelet) ;;
    *) echo "usage: build.sh [nodes]; not \"$1\"" >&2; exit 2 ;;
esac

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    for name in etcd "${names[@]}"; do
        [ -x "$KUBEBUILDER_ASSETS/$name" ] ||
            { echo "KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS holds no executable $name" >&2; exit 1; }
    done
    echo "$KUBEBUILDER_ASSETS"
    exit 0
fi

version=$(awk '$1 == "require" && $2 == "k8s.io/kubernetes" || $1 == "k8s.io/kubernetes" {print $NF; exit}' go.mod)
cache=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}
assets=$cache/controlplane-$version
mkdir -p "$assets"
exec 9>"$assets/.lock"
flock 9   # two makes at once build once

minor=${version#v1.}; minor=${minor%%.*}
package=k8s.io/component-base/version
flags="-s -w -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
for name in "${names[@]}"; do
    [ -x "$assets/$name" ] && continue
    go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null) || {
        echo "Go 1.26 or newer is needed once, to build $name $version: put go on the PATH," \
             "or set KUBEBUILDER_ASSETS to a folder with etcd, ${names[*]}" >&2
        exit 1
    }
    echo "building $name $version from its Go modules (on two cores the first takes about 8 minutes, each further one about one)" >&2
    started=$SECONDS
    CGO_ENABLED=0 "$go" build -mod=readonly -trimpath -ldflags "$flags" -o "$assets/$name.partial" "k8s.io/kubernetes/cmd/$name" &
    build=$!
    while kill -0 "$build" 2>/dev/null; do
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 2; kill -0 "$build" 2>/dev/null || break; done
        echo "  ... $name: $((SECONDS - started)) s" >&2
    done
    wait "$build"
    mv "$assets/$name.partial" "$assets/$name"
done

if [ ! -x "$assets/etcd" ]; then
    etcd=$(command -v etcd || ls /usr/bin/etcd 2>/dev/null) ||
        { echo "etcd is missing: install Debian's etcd-server, or run make setup" >&2; exit 1; }
    ln -sf "$etcd" "$assets/etcd"
fi
echo "$assets"
