#!/bin/sh
# Archives the data of the classes in a list, so that JVMs map it instead of loading classes.
#
# Equal jars with equal times give an equal archive, where the builder lets us see to two things. The
# JVM lays classes out in the order in which its threads meet their names: so one thread runs at a time
# (chrt). And what it counted of methods that threw, as when a class can't be loaded, goes in as well,
# with an address of its own code: so that is where it always is (setarch).
#
#   class-data.sh LIST JAR ARCHIVE   JAR as `java -jar` will be given it, with its class path
set -eu
alone=
if chrt -f 1 true 2>/dev/null; then
    alone="taskset -c $(taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/') chrt -f 1"
fi
if setarch -R true 2>/dev/null; then alone="setarch -R $alone"; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# $alone is words or nothing
# shellcheck disable=SC2086
$alone java -Xshare:dump -XX:SharedClassListFile="$1" -XX:SharedArchiveFile="$3" \
    -XX:+UseSerialGC -Xint -Xms512m -Xmx512m -cp "$2" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
