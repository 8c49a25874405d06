#!/bin/sh
# Archives the data of the classes in a list, so that JVMs map it instead of loading classes.
#
# Equal jars with equal times give an equal archive, on two conditions. The JVM lays classes out in
# the order in which its threads meet their names: so one thread runs at a time, where the builder
# lets us (chrt). And what it counted of methods that threw goes in as well, with an address that
# changes: so the names that this JVM has no class for are left out by a first pass.
#
#   class-data.sh LIST JAR ARCHIVE   JAR as `java -jar` will be given it, with its class path
set -eu
alone=
if chrt -f 1 true 2>/dev/null; then
    alone="taskset -c $(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/') chrt -f 1"
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dump() {
    # $alone is words or nothing
    # shellcheck disable=SC2086
    $alone java -Xshare:dump -XX:SharedClassListFile="$work/classes" -XX:SharedArchiveFile="$3" \
        -XX:+UseSerialGC -Xint -Xms512m -Xmx512m -cp "$2" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
}

cp "$1" "$work/classes"
dump "$@"
sed -n 's/.*Cannot find //p' "$work/log" >"$work/missing"
grep -vxFf "$work/missing" "$1" >"$work/classes"
rm "$3"
dump "$@"
