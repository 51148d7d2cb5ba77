path "<engine>/data/<basePath>/*" {
  capabilities = ["read"]
}

path "<engine>/metadata/<basePath>/*" {
  capabilities = ["list"]
}
