// HashiCorp Vault as an ordinary Go program: the server and the command line that the demo and the tests run.
package main

import (
	"os"

	"github.com/hashicorp/vault/command"
)

func main() { os.Exit(command.Run(os.Args[1:])) }
