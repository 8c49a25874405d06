//go:build tools

// Package controlplane pins, by go.mod and go.sum, the third-party Kubernetes
// components that the tests and the demo run against. Nothing here is compiled
// into the product; build.sh builds the commands imported below.
package controlplane

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
