//go:build programs

// Package apiserver only pins, in go.mod and go.sum, the Kubernetes programs that the tests start.
// The build tag is never set: programs cannot be imported, but `go mod tidy` still reads the list.
package apiserver

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
	_ "k8s.io/kubernetes/cmd/kube-scheduler"
	_ "k8s.io/kubernetes/cmd/kubectl"
	_ "k8s.io/kubernetes/cmd/kubelet"
)
