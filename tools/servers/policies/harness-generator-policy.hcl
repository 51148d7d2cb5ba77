path "secret/data/harness/*" {
  capabilities = ["create", "update", "read"]
}

path "secret/metadata/harness/*" {
  capabilities = ["list", "read"]
}
