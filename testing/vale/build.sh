#!/usr/bin/env bash
# Builds vale, once per machine, and prints the path of the program. See testing/go-tool.sh.
#
#   VALE                    a ready vale 3, used as it is
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=testing/go-tool.sh
source ../go-tool.sh

version=$(go_tool_version github.com/vale-cli/vale/v3)
# Vale's parsers of code are C; clang is there for the classifier.
export CGO_ENABLED=1 CC=clang
go_tool vale "${VALE:-}" 3 "$version" 2 github.com/vale-cli/vale/v3/cmd/vale "-s -w"
