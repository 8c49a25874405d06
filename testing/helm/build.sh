#!/usr/bin/env bash
# Builds helm, once per machine, and prints the path of the program. See testing/go-tool.sh.
#
#   HELM                    a ready helm 4, used as it is
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=testing/go-tool.sh
source ../go-tool.sh

version=$(go_tool_version helm.sh/helm/v4)
export CGO_ENABLED=0
go_tool helm "${HELM:-}" 4 "$version" 3 helm.sh/helm/v4/cmd/helm \
    "-s -w -X helm.sh/helm/v4/internal/version.version=$version"
