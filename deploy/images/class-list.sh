#!/bin/sh
# Regenerates deploy/images/agent.classes or deploy/images/operator.classes: the names of the classes that JVMs
# loaded, from logs that they wrote under JDK_JAVA_OPTIONS=-Xlog:class+load:file=FOLDER/%p.log.
# Classes made while they ran have no file to come from, and are left out.
#
#   class-list.sh LOG... >deploy/images/agent.classes
set -eu
generated='Lambda|[$]Proxy[0-9]|Species_|0x|GeneratedMethodAccessor'
sed -n 's/^.*\] \([^ ]*\) source: \(jrt:\|file:\|shared objects file\).*/\1/p' "$@" |
    grep -Ev "$generated" | tr . / | LC_ALL=C sort -u
