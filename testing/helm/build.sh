#!/usr/bin/env bash
# Builds helm from the module pinned in go.mod, once per machine: the result is
# cached by version outside the tree. Prints the path of the program.
#
#   HELM                    a ready helm 4, used as it is
#   TOKENBUCKET_CACHE       where builds are kept (default: $XDG_CACHE_HOME or ~/.cache, /tokenbucket)
set -euo pipefail
cd "$(dirname "$0")"

if [ -n "${HELM:-}" ]; then
    helm=$(command -v "$HELM") || { echo "HELM=$HELM is not an executable" >&2; exit 1; }
    echo "$helm"
    exit 0
fi

version=$(awk '$1 == "require" && $2 == "helm.sh/helm/v4" {print $NF; exit}' go.mod)
cache=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}
folder=$cache/helm-$version
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9   # two makes at once build once

if [ ! -x "$folder/helm" ]; then
    go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null) || {
        echo "Go 1.26 or newer is needed once, to build helm $version: put go on the PATH," \
             "or set HELM to a helm 4" >&2
        exit 1
    }
    echo "building helm $version from its Go module (about 3 minutes on two cores)" >&2
    started=$SECONDS
    flags="-s -w -X helm.sh/helm/v4/internal/version.version=$version"
    CGO_ENABLED=0 "$go" build -mod=readonly -trimpath -ldflags "$flags" \
        -o "$folder/helm.partial" helm.sh/helm/v4/cmd/helm
    mv "$folder/helm.partial" "$folder/helm"
    echo "  ... helm: $((SECONDS - started)) s" >&2
fi
echo "$folder/helm"
