//go:build tools

// Package vale pins, by go.mod and go.sum, the prose linter that make lint runs.
// Nothing here is compiled into the product; build.sh builds the command
// imported below.
package vale

import (
	_ "github.com/vale-cli/vale/v3/cmd/vale"
)
