// The Kubernetes API server as an ordinary Go program: the demo and the tests run it with etcd, so that TokenReview,
// service account tokens and RBAC are real.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
