#!/usr/bin/env bash
# Builds vale from the module pinned in go.mod, once per machine: the result is
# cached by version outside the tree. Prints the path of the program.
#
#   VALE                    a ready vale 3, used as it is
#   TOKENBUCKET_CACHE       where builds are kept (default: $XDG_CACHE_HOME or ~/.cache, /tokenbucket)
set -euo pipefail
cd "$(dirname "$0")"

if [ -n "${VALE:-}" ]; then
    vale=$(command -v "$VALE") || { echo "VALE=$VALE is not an executable" >&2; exit 1; }
    echo "$vale"
    exit 0
fi

version=$(awk '$1 == "require" && $2 == "github.com/vale-cli/vale/v3" {print $NF; exit}' go.mod)
cache=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}
folder=$cache/vale-$version
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9   # two makes at once build once

if [ ! -x "$folder/vale" ]; then
    go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null) || {
        echo "Go 1.26 or newer is needed once, to build vale $version: put go on the PATH," \
             "or set VALE to a vale 3" >&2
        exit 1
    }
    echo "building vale $version from its Go module (about 2 minutes on two cores)" >&2
    started=$SECONDS
    # Vale's parsers of code are C; clang is there for the classifier.
    CGO_ENABLED=1 CC=clang "$go" build -mod=readonly -trimpath -ldflags "-s -w" \
        -o "$folder/vale.partial" github.com/vale-cli/vale/v3/cmd/vale
    mv "$folder/vale.partial" "$folder/vale"
    echo "  ... vale: $((SECONDS - started)) s" >&2
fi
echo "$folder/vale"
