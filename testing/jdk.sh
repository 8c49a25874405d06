#!/usr/bin/env bash
# Finds the JDK of a version and prints its folder.
#
#   jdk.sh 21            of JAVA_HOME if that is version 21, else the first one under /usr/lib/jvm
#   jdk.sh all TARGET…   makes the targets (default: test) with each supported JDK that is there,
#                        and says which JDKs that were
set -euo pipefail
supported=(17 21 25)

version_of() {
    sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null
}

folder_of() {
    for folder in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
        if [ -x "$folder/bin/javac" ] && [ "$(version_of "$folder")" = "$1" ]; then
            realpath "$folder"
            return
        fi
    done
    return 1
}

if [ "${1:?which version: ${supported[*]}, or all}" != all ]; then
    folder_of "$1" || {
        echo "JDK $1 is neither JAVA_HOME nor under /usr/lib/jvm: install it (Debian 12 has only 17)," \
             "or set JAVA_HOME to it" >&2
        exit 1
    }
    exit
fi

shift
targets=("${@:-test}")
cd "$(dirname "$0")/.."
ran=() missing=() failed=()
for version in "${supported[@]}"; do
    if ! folder_of "$version" >/dev/null; then
        missing+=("$version")
    elif make "${targets[@]}" "JDK=$version"; then
        ran+=("$version")
    else
        failed+=("$version")
    fi
done
echo "passed with JDK: ${ran[*]:-none}; failed: ${failed[*]:-none}; not installed: ${missing[*]:-none}"
[ ${#failed[@]} -eq 0 ] && [ ${#ran[@]} -gt 0 ]
