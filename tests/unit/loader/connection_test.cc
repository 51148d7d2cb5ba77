#include "loader/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "support/status_matchers.h"
#include "unit/loader/fixture.h"

namespace loader {
namespace {

using ::testing::HasSubstr;
using vaultcore::Endpoint;
using vaultcore::EnvironmentLookup;
using vaultcore::ErrorKind;
using vaultcore::HintIs;
using vaultcore::IsOk;
using vaultcore::LoaderAuth;
using vaultcore::LoaderConfig;
using vaultcore::Secret;
using vaultcore::StatusIs;

EnvironmentLookup Environment(std::map<std::string, std::string, std::less<>> variables = {}) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

LoaderConfig ConfigAt(std::string_view address) {
  LoaderConfig config = ServiceConfig();
  config.address = *Endpoint::Parse(address);
  return config;
}

TEST(ConnectionTest, TheConfigurationsAddressWinsOverTheEnvironments) {
  const auto environment = Environment({{"VAULT_ADDR", "https://from-environment:8200"}});
  const auto configured = MakeConnection(ConfigAt("http://configured:8200"), environment);
  ASSERT_THAT(configured, IsOk());
  EXPECT_EQ(configured->address.ToString(), "http://configured:8200");
  const auto from_environment = MakeConnection(ServiceConfig(), environment);
  ASSERT_THAT(from_environment, IsOk());
  EXPECT_EQ(from_environment->address.ToString(), "https://from-environment:8200");
}

TEST(ConnectionTest, WithoutAnyAddressTheErrorSaysWhereToPutOne) {
  const auto none = MakeConnection(ServiceConfig(), Environment());
  EXPECT_THAT(none, StatusIs(ErrorKind::kUsage, "there is no address of Vault"));
  EXPECT_THAT(none, HintIs(HasSubstr("VAULT_ADDR")));
}

TEST(ConnectionTest, TheEnvironmentServesWhatTheConfigurationDoesNotSay) {
  const auto environment = Environment({{"VAULT_NAMESPACE", "from-environment"},
                                        {"VAULT_CACERT", "/env/ca.pem"},
                                        {"VAULT_CACERT_BYTES", "PEM"},
                                        {"VAULT_TLS_SERVER_NAME", "vault.example"}});
  LoaderConfig config = ConfigAt("https://v:8200");
  const auto unset = MakeConnection(config, environment);
  ASSERT_THAT(unset, IsOk());
  EXPECT_EQ(unset->vault_namespace, "from-environment");
  EXPECT_EQ(unset->tls.ca_file, "/env/ca.pem");
  EXPECT_EQ(unset->tls.server_name, "vault.example");
  config.vault_namespace = "configured";
  config.ca_cert = "/configured/ca.pem";
  const auto set = MakeConnection(config, environment);
  ASSERT_THAT(set, IsOk());
  EXPECT_EQ(set->vault_namespace, "configured");
  EXPECT_EQ(set->tls.ca_file, "/configured/ca.pem");
  EXPECT_EQ(set->tls.ca_pem, "");
}

TEST(ConnectionTest, AFolderOfAuthoritiesIsOne) {
  LoaderConfig config = ConfigAt("https://v:8200");
  config.ca_cert = std::filesystem::temp_directory_path();
  const auto settings = MakeConnection(config, Environment());
  ASSERT_THAT(settings, IsOk());
  EXPECT_EQ(settings->tls.ca_file, "");
  EXPECT_EQ(settings->tls.ca_dir, config.ca_cert);
}

TEST(ConnectionTest, VerificationIsSkippedOnlyWhenEitherSaysSo) {
  LoaderConfig config = ConfigAt("https://v:8200");
  EXPECT_FALSE(MakeConnection(config, Environment())->tls.skip_verify);
  EXPECT_FALSE(
      MakeConnection(config, Environment({{"VAULT_SKIP_VERIFY", "false"}}))->tls.skip_verify);
  EXPECT_TRUE(
      MakeConnection(config, Environment({{"VAULT_SKIP_VERIFY", "true"}}))->tls.skip_verify);
  config.skip_verify = true;
  EXPECT_TRUE(MakeConnection(config, Environment())->tls.skip_verify);
}

TEST(ConnectionTest, AVariableThatMakesNoSenseIsAUsageError) {
  EXPECT_THAT(
      MakeConnection(ConfigAt("https://v:8200"), Environment({{"VAULT_CLIENT_TIMEOUT", "x"}})),
      StatusIs(ErrorKind::kUsage, HasSubstr("VAULT_CLIENT_TIMEOUT")));
}

TEST(AuthTest, EachMethodIsMadeFromItsCredentials) {
  LoaderConfig config = ServiceConfig();
  config.auth.method = LoaderAuth::Method::kToken;
  config.auth.token = Secret::CopyOf("hvs.configured");
  EXPECT_THAT(MakeAuth(config, Environment()), IsOk());
  config.auth.token = {};
  EXPECT_THAT(MakeAuth(config, Environment({{"VAULT_TOKEN", "hvs.environment"}})), IsOk());

  config.auth.method = LoaderAuth::Method::kAppRole;
  config.auth.mount = "approle";
  EXPECT_THAT(MakeAuth(config, Environment({{"VAULT_ROLE_ID", "r"}})), IsOk());
  config.auth.role_id = Secret::CopyOf("r");
  EXPECT_THAT(MakeAuth(config, Environment()), IsOk());

  config.auth.method = LoaderAuth::Method::kKubernetes;
  config.auth.mount = "k8s/eu";
  config.auth.role = "harness";
  const auto kubernetes = MakeAuth(config, Environment());
  ASSERT_THAT(kubernetes, IsOk());
  EXPECT_THAT((*kubernetes)->Describe(), HasSubstr("harness"));
}

TEST(AuthTest, MissingCredentialsSayWhereToPutThem) {
  LoaderConfig config = ServiceConfig();
  config.auth.method = LoaderAuth::Method::kToken;
  const auto token = MakeAuth(config, Environment());
  EXPECT_THAT(token, StatusIs(ErrorKind::kAuth));
  EXPECT_THAT(token, HintIs(HasSubstr("VAULT_TOKEN")));
  config.auth.method = LoaderAuth::Method::kAppRole;
  config.auth.mount = "approle";
  const auto approle = MakeAuth(config, Environment());
  EXPECT_THAT(approle, StatusIs(ErrorKind::kAuth));
  EXPECT_THAT(approle, HintIs(HasSubstr("VAULT_ROLE_ID")));
}

}  // namespace
}  // namespace loader
