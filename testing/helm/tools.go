//go:build tools

// Package helm pins, by go.mod and go.sum, the Helm that the tests run the
// chart with. Nothing here is compiled into the product; build.sh builds the
// command imported below.
package helm

import (
	_ "helm.sh/helm/v4/cmd/helm"
)
