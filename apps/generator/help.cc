#include "generator/help.h"

namespace generator {

const char kHelp[] =
    R"(vaultSecretGenerator puts the secrets that a Helm chart's services need into HashiCorp Vault.

Usage:
  vaultSecretGenerator generate RELEASE CHART -f VALUES [-f VALUES ...] [OPTIONS]
  vaultSecretGenerator plan     RELEASE CHART -f VALUES [-f VALUES ...] [OPTIONS]
  vaultSecretGenerator verify   RELEASE CHART -f VALUES [-f VALUES ...] [OPTIONS]

Commands:
  generate   render the chart, make what is missing in Vault, and upload it
  plan       the same, but write nothing: show what generate would do
  verify     before a deployment: is all that the services will ask for in Vault?

Options:
  --help, -h   this text; "vaultSecretGenerator generate --help" for a command's options
  --version    the version

Example:
  export VAULT_TOKEN=...        # a token with the generator's policy
  vaultSecretGenerator plan     demo ./chart -f values.yaml -f override.yaml
  vaultSecretGenerator generate demo ./chart -f values.yaml -f override.yaml

What is in Vault already is never changed: running it again adds only what is missing.
)";

const char kGenerateHelp[] =
    R"(Usage:
  vaultSecretGenerator generate RELEASE CHART -f VALUES [-f VALUES ...] [OPTIONS]
  vaultSecretGenerator plan     RELEASE CHART -f VALUES [-f VALUES ...] [OPTIONS]
  vaultSecretGenerator verify   RELEASE CHART -f VALUES [-f VALUES ...] [OPTIONS]

Renders CHART with Helm, once with the secrets loader off and once with it on, works out what each
service needs from Vault, makes strong values for what is not there yet, and uploads them. "plan"
does the same and writes nothing; "verify" says what is missing. Values that are in Vault already
are never changed.

Where Vault is comes from the chart's values, global.externalSecretsLoader.vault: address, engine
(the KV mount, version 1 or 2), basePath and auth.

Chart:
  RELEASE                   the release's name, as for "helm install"
  CHART                     a chart folder or a packed chart (.tgz)
  -f, --values FILE         values; may be repeated, later files win
  --set KEY=VALUE           one value; also --set-string, --set-file; may be repeated
  -n, --namespace NAME      the release's namespace (HELM_NAMESPACE, else "default")
  --kube-version VERSION    what the chart sees as Kubernetes' version
  -a, --api-versions NAME   an API that the chart sees as available; may be repeated
  --helm PATH               the helm program, 3.8 or later (HELM_BIN, else helm in PATH)
  --live                    render against the cluster, so that the chart finds what is installed;
                            with --kubeconfig FILE, --kube-context NAME
  --manifests FILE          rendered manifests with the loader off, instead of Helm ("-": standard
                            input); a second one of another rendering shows what the chart invents
  --manifests-loader-on FILE  the same with the loader on

Secrets:
  --input-json FILE         upload these secrets; generation is skipped
  --output-json FILE        save what the release's entries hold after the run (mode 0600)

Output:
  --format table|json       the report on standard output (table)
  -q, --quiet               no progress, no notes
  -v, --verbose             also each request to Vault, and the keys that were there already
  --exit-code               plan: exit with 4 when generate would have something to do
  --timeout DURATION        for the whole run, such as 90s or 15m (15m)
  -h, --help                this text

Environment:
  VAULT_TOKEN               the token that writes (else ~/.vault-token); needs create, update and
                            read on <engine>/data/<basePath>/*, list and read on
                            <engine>/metadata/<basePath>/*
  VAULT_CACERT, VAULT_CAPATH, VAULT_CLIENT_CERT, VAULT_CLIENT_KEY, VAULT_TLS_SERVER_NAME,
  VAULT_SKIP_VERIFY, VAULT_NAMESPACE, VAULT_CLIENT_TIMEOUT, VAULT_MAX_RETRIES, VAULT_RATE_LIMIT,
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
                            as the vault command line reads them
  NO_COLOR, TERM            no colours, no progress line

Exit codes:
  0  done, or nothing to do       3  authentication or permission
  1  failed, or a conflict        4  a secret is missing (verify; plan --exit-code)
  2  usage or configuration       5  Vault unreachable, sealed, or out of time

Examples:
  vaultSecretGenerator generate demo ./chart -f values.yaml -f override.yaml
  vaultSecretGenerator plan demo chart-1.2.3.tgz -f values.yaml --format json
  vaultSecretGenerator generate demo ./chart -f values.yaml --output-json backup.json
)";

}  // namespace generator
