# shellcheck shell=bash
# For build.sh of a tool's folder, which sources it: builds the tool from the module pinned in go.mod,
# once per machine. The result is cached by version outside the tree.
#
#   TOKENBUCKET_CACHE       where builds are kept (default: $XDG_CACHE_HOME or ~/.cache, /tokenbucket)

# The version of a module in the go.mod of the present folder.
go_tool_version() { # MODULE
    awk -v module="$1" '$1 == "require" && $2 == module {print $NF; exit}' go.mod
}

# Prints the path of the program: READY if that is given, else the one that go build makes.
go_tool() { # NAME READY MAJOR VERSION MINUTES PACKAGE LDFLAGS
    local name=$1 variable=${1^^} ready=$2 major=$3 version=$4 minutes=$5 package=$6 ldflags=$7
    local cache folder go started
    if [ -n "$ready" ]; then
        command -v "$ready" || { echo "$variable=$ready is not an executable" >&2; return 1; }
        return
    fi
    cache=${TOKENBUCKET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tokenbucket}
    folder=$cache/$name-$version
    mkdir -p "$folder"
    exec 9>"$folder/.lock"
    flock 9   # two makes at once build once
    if [ ! -x "$folder/$name" ]; then
        go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null) || {
            echo "Go 1.26 or newer is needed once, to build $name $version: put go on the PATH," \
                 "or set $variable to a $name $major" >&2
            return 1
        }
        echo "building $name $version from its Go module (about $minutes minutes on two cores)" >&2
        started=$SECONDS
        "$go" build -mod=readonly -trimpath -ldflags "$ldflags" -o "$folder/$name.partial" "$package"
        mv "$folder/$name.partial" "$folder/$name"
        echo "  ... $name: $((SECONDS - started)) s" >&2
    fi
    echo "$folder/$name"
}
