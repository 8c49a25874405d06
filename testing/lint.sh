#!/usr/bin/env bash
# Checks the shell scripts, and the spelling and wording of every text that git tracks.
#
# testing/vale/styles lists the wordings that texts avoid.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8

git ls-files -z '*.sh' bin/tb .ci/run | xargs -0 shellcheck -x

# Left out: what others wrote, lists of names, and the CRDs that have been published already.
texts() {
    git ls-files -z '*.java' '*.md' '*.c' '*.h' '*.sh' '*.go' '*.y*ml' '*.tpl' '*.txt' \
        Makefile Dockerfile bin/tb .ci/run ':!crds/src/test/resources' ':!testing/vale'
}
# Names such as inForce are no words. ND: neighbour discovery.
texts | xargs -0 codespell --ignore-regex '\b\w*[a-z][A-Z]\w*\b' --ignore-words-list nd,ser
vale=$(testing/vale/build.sh)
texts | xargs -0 "$vale" --config testing/vale/vale.ini --output line
