#include "generator/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/status_matchers.h"

namespace generator {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::StatusIs;
using vaultcore::YamlNode;

YamlNode Yaml(std::string_view text) {
  vaultcore::StatusOr<YamlNode> node = ParseValues(text, "values.yaml");
  EXPECT_THAT(node, IsOk());
  return node.ok() ? *std::move(node) : YamlNode();
}

std::string Loader(std::string_view block) {
  return "global: {externalSecretsLoader: " + std::string(block) + "}\n";
}

TEST(ParseValues, AreAMapOrNothing) {
  EXPECT_THAT(ParseValues("", "v.yaml"), IsOk());
  EXPECT_THAT(ParseValues("- a\n", "v.yaml"), StatusIs(ErrorKind::kUsage, HasSubstr("v.yaml:1:1")));
  EXPECT_THAT(ParseValues("a: [\n", "v.yaml"), StatusIs(ErrorKind::kUsage, HasSubstr("v.yaml:")));
}

TEST(LoadValuesFile, IsAFile) {
  EXPECT_THAT(LoadValuesFile("-"), StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(LoadValuesFile("https://x/values.yaml"), StatusIs(ErrorKind::kUsage));
  EXPECT_THAT(LoadValuesFile("/no/such.yaml"),
              StatusIs(ErrorKind::kUsage, HasSubstr("/no/such.yaml")));
}

TEST(ReadVaultSettings, ReadsTheWholeBlock) {
  const auto settings = ReadVaultSettings(Yaml(
      Loader("{provider: vault, vault: {address: 'https://v:8200', engine: kv, basePath: a/b, "
             "tlsDisabled: 'true', caCert: {mountPath: /ca}, auth: {method: approle, path: ar, "
             "roleId: i, secretId: s}}}")));
  ASSERT_THAT(settings, IsOk());
  EXPECT_EQ(settings->address.ToString(), "https://v:8200");
  EXPECT_EQ(settings->engine, "kv");
  EXPECT_EQ(settings->base_path, "a/b");
  EXPECT_TRUE(settings->skip_verify);
  EXPECT_EQ(settings->ca_path, "/ca");
  EXPECT_EQ(settings->method, VaultSettings::Method::kAppRole);
  EXPECT_EQ(settings->auth_mount, "ar");
  EXPECT_EQ(settings->role_id.Reveal(), "i");
  EXPECT_EQ(settings->secret_id.Reveal(), "s");
}

TEST(ReadVaultSettings, HasDefaults) {
  const auto settings =
      ReadVaultSettings(Yaml(Loader("{vault: {address: 'http://v:8200', tlsDisabled: ''}}")));
  ASSERT_THAT(settings, IsOk());
  EXPECT_EQ(settings->engine, "secret");
  EXPECT_EQ(settings->base_path, "");
  EXPECT_FALSE(settings->skip_verify);
  EXPECT_EQ(settings->method, VaultSettings::Method::kToken);
}

TEST(ReadVaultSettings, SaysWhichValueIsWrongAndNotWhatItIs) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"a: b\n", "global.externalSecretsLoader.vault"},
      {Loader("{vault: {engine: x}}"), "vault.address"},
      {Loader("{vault: {address: [canary]}}"), "vault.address"},
      {Loader("{vault: {address: 'ftp://canary'}}"), "vault.address"},
      {Loader("{vault: {address: 'http://v', tlsDisabled: canary}}"), "vault.tlsDisabled"},
      {Loader("{vault: {address: 'http://v', auth: {method: canary}}}"), "vault.auth.method"},
      {Loader("{provider: canary, vault: {address: 'http://v'}}"), "provider"},
  };
  for (const auto& [text, named] : cases) {
    const auto settings = ReadVaultSettings(Yaml(text));
    EXPECT_THAT(settings, StatusIs(ErrorKind::kUsage, HasSubstr(named))) << text;
    EXPECT_THAT(settings, StatusIs(ErrorKind::kUsage, testing::Not(HasSubstr("canary"))));
  }
}

std::vector<std::string> Flags(const std::vector<Switch>& switches) {
  std::vector<std::string> flags;
  for (const Switch& each : switches) flags.push_back(each.flag + " " + each.assignment);
  return flags;
}

TEST(LoaderSwitches, KeepTheTypeThatTheValuesHave) {
  EXPECT_THAT(Flags(LoaderSwitches(Yaml(Loader("{enabled: false}")), true)),
              ElementsAre("--set global.externalSecretsLoader.enabled=true"));
  EXPECT_THAT(Flags(LoaderSwitches(Yaml(Loader("{enabled: \"false\"}")), true)),
              ElementsAre("--set-string global.externalSecretsLoader.enabled=true"));
  EXPECT_THAT(Flags(LoaderSwitches(Yaml(""), false)),
              ElementsAre("--set global.externalSecretsLoader.enabled=false"));
}

TEST(LoaderSwitches, OffOverrulesSubchartsThatSwitchItOn) {
  const YamlNode values =
      Yaml(Loader("{enabled: true}") +
           "core:\n  accounts:\n    externalSecretsLoader: {enabled: \"true\"}\n"
           "  my.chart:\n    externalSecretsLoader: {enabled: true}\n"
           "  other:\n    externalSecretsLoader: {enabled: false}\n");
  EXPECT_THAT(Flags(LoaderSwitches(values, false)),
              ElementsAre("--set global.externalSecretsLoader.enabled=false",
                          "--set-string core.accounts.externalSecretsLoader.enabled=false",
                          "--set core.my\\.chart.externalSecretsLoader.enabled=false"));
  EXPECT_THAT(Flags(LoaderSwitches(values, true)),
              ElementsAre("--set global.externalSecretsLoader.enabled=true"));
}

TEST(SubchartOff, NamesTheSubchartByItsPath) {
  EXPECT_EQ(SubchartOff({"core", "accounts"}).assignment,
            "core.accounts.externalSecretsLoader.enabled=false");
  EXPECT_EQ(SubchartOff({}).assignment, "externalSecretsLoader.enabled=false");
}

TEST(UnknownLoaderKeys, AreToldWithTheirPlace) {
  EXPECT_THAT(
      UnknownLoaderKeys(Yaml("global:\n  externalSecretsLoader:\n    vault: {adress: x}\n"), "f"),
      ElementsAre("f:3:13: unknown key \"adress\"; did you mean \"address\"?"));
  EXPECT_THAT(UnknownLoaderKeys(Yaml(Loader("{ourOwn: 1, vault: {auth: {role: x}}}")), "f"),
              IsEmpty());
}

TEST(DatabaseTlsKeys, AreThoseOfEnabledDatabases) {
  const auto keys = DatabaseTlsKeys(Yaml(
      "global:\n  databases:\n    postgres: {ssl: {enabled: 'true', caFileKey: ca, "
      "trustStoreKey: ''}}\n    mongo: {ssl: {enabled: false, caFileKey: x}}\n    redis: {}\n"));
  ASSERT_THAT(keys, IsOk());
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_EQ(keys->front().database, "postgres");
  EXPECT_EQ(keys->front().key, "ca");
  EXPECT_THAT(DatabaseTlsKeys(Yaml("global: {databases: {pg: {ssl: {enabled: maybe}}}}\n")),
              StatusIs(ErrorKind::kUsage, HasSubstr("global.databases.pg.ssl.enabled")));
}

TEST(TextScalars, AreTextsAndNotNumbers) {
  std::vector<std::string> found;
  for (const NamedScalar& scalar :
       TextScalars(Yaml("a: text\nb: [one, 2]\nc: {d: true, e: '3', f: '', g: 1.5}\n"))) {
    found.push_back(scalar.key + "=" + std::string(Bytes(scalar.value)));
  }
  EXPECT_THAT(found, ElementsAre("a=text", "b=one", "e=3"));
}

TEST(LooksSecret, GoesByTheName) {
  for (const char* name :
       {"password", "DB_PASSWD", "apiKey", "jwtSecret", "LICENSE", "accessToken"}) {
    EXPECT_TRUE(LooksSecret(name)) << name;
  }
  for (const char* name : {"host", "user", "image", "replicas"})
    EXPECT_FALSE(LooksSecret(name)) << name;
}

}  // namespace
}  // namespace generator
