#include "vaultcore/config/loader_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vaultcore {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// As the public chart renders it: everything quoted, unset things empty.
constexpr char kChartConfig[] = R"(provider: "vault"
vault:
  address: "http://vault.vault.svc.cluster.local:8200"
  engine: "secret"
  basePath: "harness"
  namespace: ""
  tlsDisabled: "false"
  caCert: "/etc/vault-ca/ca.crt"
  auth:
    method: "kubernetes"
    role: "harness"
    path: ""
serviceName: "log-service"
secrets:
  envSecrets:
    enabled: "true"
    outputFile: "/shared/env/.env"
    categories:
      - database
      - api
  fileSecrets:
    enabled: "true"
    outputPath: "/shared/files"
    categories:
      - config
databases:
  - type: "mongo"
    useDatabaseSecretsEngine: "false"
    engine: ""
    databaseRole: ""
    overridePath: ""
    basePath: ""
    userEnvSecrets:
      - "MONGODB_USER"
      - "RESOURCE_GROUP_MONGO_USER"
    passwordEnvSecrets:
      - "MONGODB_PASSWORD"
  - type: "redis"
    useDatabaseSecretsEngine: "true"
    engine: ""
    databaseRole: "harness-redis-role"
    overridePath: ""
    basePath: ""
    userEnvSecrets:
      - "REDIS_USERNAME"
)";

struct Parsed {
  StatusOr<LoaderConfig> config = absl::UnknownError("not parsed");
  std::vector<std::string> warnings;
};

Parsed Parse(std::string_view text) {
  Parsed parsed;
  parsed.config = ParseLoaderConfig(text, "config.yaml", &parsed.warnings);
  return parsed;
}

std::string ErrorOf(std::string_view text) {
  const Parsed parsed = Parse(text);
  EXPECT_FALSE(parsed.config.ok());
  if (parsed.config.ok()) return "";
  EXPECT_EQ(KindOf(parsed.config.status()), ErrorKind::kUsage);
  return std::string(MessageOf(parsed.config.status()));
}

// A valid configuration with `vault_lines` (two spaces deep) in its vault section.
std::string WithVault(std::string_view vault_lines) {
  return "vault:\n  address: http://127.0.0.1:8200\n" + std::string(vault_lines) +
         "\nserviceName: svc\n";
}

TEST(LoaderConfigTest, ReadsWhatTheChartRenders) {
  const Parsed parsed = Parse(kChartConfig);
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_THAT(parsed.warnings, IsEmpty());
  const LoaderConfig& config = *parsed.config;
  ASSERT_TRUE(config.address.has_value());
  EXPECT_EQ(config.address->ToString(), "http://vault.vault.svc.cluster.local:8200");
  EXPECT_EQ(config.engine, "secret");
  EXPECT_EQ(config.base_path, "harness");
  EXPECT_EQ(config.vault_namespace, "");
  EXPECT_FALSE(config.skip_verify);
  EXPECT_EQ(config.ca_cert, "/etc/vault-ca/ca.crt");
  EXPECT_EQ(config.auth.method, LoaderAuth::Method::kKubernetes);
  EXPECT_EQ(config.auth.role, "harness");
  EXPECT_EQ(config.auth.mount, "kubernetes");
  EXPECT_EQ(config.service, "log-service");
  EXPECT_TRUE(config.env_enabled);
  EXPECT_EQ(config.env_file, "/shared/env/.env");
  EXPECT_TRUE(config.files_enabled);
  EXPECT_EQ(config.files_folder, "/shared/files");
  ASSERT_THAT(config.databases, SizeIs(2));
  const LoaderDatabase& mongo = config.databases[0];
  EXPECT_EQ(mongo.type, "mongo");
  EXPECT_FALSE(mongo.dynamic);
  EXPECT_EQ(mongo.engine, "secret");
  EXPECT_EQ(mongo.static_path, "");
  EXPECT_THAT(mongo.user_variables, ElementsAre("MONGODB_USER", "RESOURCE_GROUP_MONGO_USER"));
  EXPECT_THAT(mongo.password_variables, ElementsAre("MONGODB_PASSWORD"));
  const LoaderDatabase& redis = config.databases[1];
  EXPECT_TRUE(redis.dynamic);
  EXPECT_EQ(redis.engine, "database");
  EXPECT_EQ(redis.role, "harness-redis-role");
}

TEST(LoaderConfigTest, ReadsTheOlderChartsForm) {
  const Parsed parsed = Parse(R"(
provider: "vault"
vault: {address: "http://v:8200", engine: "kv", basePath: "", auth: {method: "token", token: ""}}
serviceName: "svc"
secrets:
databases:
  - type: "timescaledb"
    useDatabaseSecretsEngine: "true"
    engine: "db"
    overridePath: ""
    databaseRole: "role"
    instances:
      - name: "one"
)");
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_THAT(parsed.warnings, IsEmpty());
  EXPECT_EQ(parsed.config->databases.at(0).engine, "db");
}

TEST(LoaderConfigTest, FieldsThatAreMissingHaveTheGuidesDefaults) {
  const Parsed parsed = Parse("vault: {auth: {role: r}}\nserviceName: svc\n");
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  const LoaderConfig& config = *parsed.config;
  EXPECT_FALSE(config.address.has_value());
  EXPECT_EQ(config.engine, "secret");
  EXPECT_EQ(config.base_path, "");
  EXPECT_TRUE(config.env_enabled);
  EXPECT_FALSE(config.env_required);
  EXPECT_EQ(config.env_file, "/opt/harness/secrets/.env");
  EXPECT_TRUE(config.files_enabled);
  EXPECT_EQ(config.files_folder, "/opt/harness/secrets/files");
  EXPECT_THAT(config.databases, IsEmpty());
}

TEST(LoaderConfigTest, LoginMethodsAndTheirDefaults) {
  struct Case {
    std::string auth;
    LoaderAuth::Method method;
    std::string mount;
  };
  for (const Case& c : {
           Case{"{method: kubernetes, role: r, path: \"k8s/eu\"}", LoaderAuth::Method::kKubernetes,
                "k8s/eu"},
           Case{"{method: approle, roleId: a, secretId: b}", LoaderAuth::Method::kAppRole,
                "approle"},
           Case{"{method: token, token: t}", LoaderAuth::Method::kToken, ""},
           Case{"{role: r}", LoaderAuth::Method::kKubernetes, "kubernetes"},
           Case{"{roleId: r}", LoaderAuth::Method::kAppRole, "approle"},
           Case{"{method: \"\"}", LoaderAuth::Method::kToken, ""},
       }) {
    const Parsed parsed = Parse(WithVault("  auth: " + c.auth));
    ASSERT_TRUE(parsed.config.ok()) << c.auth << ": " << parsed.config.status();
    EXPECT_EQ(parsed.config->auth.method, c.method) << c.auth;
    EXPECT_EQ(parsed.config->auth.mount, c.mount) << c.auth;
  }
}

TEST(LoaderConfigTest, CredentialsAreTakenOver) {
  const Parsed parsed = Parse(WithVault(
      "  auth: {method: approle, roleId: the-role, secretId: the-secret, secretIdWrapped: true}"));
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_EQ(parsed.config->auth.role_id.Reveal(), "the-role");
  EXPECT_EQ(parsed.config->auth.secret_id.Reveal(), "the-secret");
  EXPECT_TRUE(parsed.config->auth.secret_id_is_wrapping_token);
}

TEST(LoaderConfigTest, EitherSpellingOfInsecureCounts) {
  for (const char* line : {"  tlsDisabled: \"true\"", "  insecure: true", "  insecure: \"TRUE\""}) {
    const Parsed parsed = Parse(WithVault(line));
    ASSERT_TRUE(parsed.config.ok()) << line << ": " << parsed.config.status();
    EXPECT_TRUE(parsed.config->skip_verify) << line;
  }
}

TEST(LoaderConfigTest, PathsOfStaticCredentials) {
  const Parsed parsed = Parse(WithVault("") + R"(
databases:
  - {type: a, overridePath: ext/a, basePath: ext/b}
  - {type: b, overridePath: "", basePath: ext/b, engine: other}
)");
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_EQ(parsed.config->databases.at(0).static_path, "ext/a");
  EXPECT_EQ(parsed.config->databases.at(1).static_path, "ext/b");
  EXPECT_EQ(parsed.config->databases.at(1).engine, "other");
}

TEST(LoaderConfigTest, UnknownKeysAreWarnedAboutWithTheNearestKnownOne) {
  const Parsed parsed = Parse(R"(vault:
  adress: http://v:8200
  auth: {method: token}
serviceNane: svc
serviceName: svc
whatever: 1
)");
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_THAT(
      parsed.warnings,
      ::testing::UnorderedElementsAre(
          "config.yaml:2:3: unknown key \"adress\" in vault is ignored; did you mean \"address\"?",
          "config.yaml:4:1: unknown key \"serviceNane\" is ignored; did you mean "
          "\"serviceName\"?",
          "config.yaml:6:1: unknown key \"whatever\" is ignored"));
}

TEST(LoaderConfigTest, AllErrorsAtOnceEachWithItsPlace) {
  const std::string error = ErrorOf(R"(provider: aws
vault:
  address: "ftp://v"
  engine: "a//b"
  auth: {method: ldap}
secrets:
  envSecrets: {enabled: maybe}
  fileSecrets: [x]
databases:
  - {type: mongo, useDatabaseSecretsEngine: "true"}
  - {userEnvSecrets: ["NOT-A-NAME"]}
  - text
)");
  EXPECT_THAT(error, HasSubstr("config.yaml:1:11: provider must be \"vault\""));
  EXPECT_THAT(error, HasSubstr("config.yaml:3:12: vault.address: "));
  EXPECT_THAT(error, HasSubstr("config.yaml:4:11: vault.engine: "));
  EXPECT_THAT(error, HasSubstr("config.yaml:5:18: vault.auth.method must be"));
  EXPECT_THAT(error,
              HasSubstr("config.yaml:7:25: secrets.envSecrets.enabled must be true or false"));
  EXPECT_THAT(error, HasSubstr("config.yaml:8:16: secrets.fileSecrets must be a mapping"));
  EXPECT_THAT(error, HasSubstr("config.yaml:10:5: databases[0].databaseRole is missing"));
  EXPECT_THAT(error, HasSubstr("config.yaml:11:5: databases[1].type is missing"));
  EXPECT_THAT(error, HasSubstr("databases[1].userEnvSecrets: \"NOT-A-NAME\" cannot be"));
  EXPECT_THAT(error, HasSubstr("config.yaml:12:5: databases[2] must be a mapping"));
  EXPECT_THAT(error, HasSubstr("config.yaml:1:1: serviceName is missing"));
}

TEST(LoaderConfigTest, HowTheOutputIsWritten) {
  const Parsed parsed = Parse(WithVault("") + R"(
secrets:
  envSecrets: {format: export, expansionSafe: auto, mode: "0640"}
  fileSecrets: {encoding: base64, mode: 444}
databases:
  - {type: mongo, ssl: {enabled: "true", caFileKey: ca, trustStoreKey: "", trustStorePasswordKey: tp}}
)");
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_THAT(parsed.warnings, IsEmpty());
  const LoaderConfig& config = *parsed.config;
  EXPECT_EQ(config.env_format, EnvFormat::kExport);
  EXPECT_TRUE(config.env_expansion_safe);
  EXPECT_EQ(config.env_mode, 0640u);
  EXPECT_EQ(config.file_encoding, FileEncoding::kBase64);
  EXPECT_EQ(config.files_mode, 0444u);
  EXPECT_EQ(config.databases.at(0).ca_file_key, "ca");
  EXPECT_EQ(config.databases.at(0).trust_store_key, "trustStore");
  EXPECT_EQ(config.databases.at(0).trust_store_password_key, "tp");

  const std::string error = ErrorOf(WithVault("") + R"(
secrets:
  envSecrets: {format: ini, expansionSafe: "yes", mode: "0666"}
  fileSecrets: {encoding: gzip, mode: "9"}
)");
  EXPECT_THAT(error, HasSubstr("secrets.envSecrets.format must be sh, export, dotenv or json"));
  EXPECT_THAT(error, HasSubstr("secrets.envSecrets.expansionSafe must be auto or off"));
  EXPECT_THAT(error, HasSubstr("secrets.envSecrets.mode must be octal permissions"));
  EXPECT_THAT(error, HasSubstr("secrets.fileSecrets.encoding must be auto, raw or base64"));
  EXPECT_THAT(error, HasSubstr("secrets.fileSecrets.mode must be octal permissions"));
}

TEST(LoaderConfigTest, EntriesAndTemplates) {
  const Parsed parsed = Parse(WithVault("  engine: s4e") + R"(
entries:
  - path: database
    variables: {DB_HOST: host, DB_PASS: password}
    files: {ca.pem: ca}
  - {path: redis, engine: kv, required: "false"}
templates:
  - destination: /vault/secrets/db
    contents: "{{ 1 }}"
    mode: "0640"
  - {destination: /vault/secrets/x, source: /etc/x.tpl}
)");
  ASSERT_TRUE(parsed.config.ok()) << parsed.config.status();
  EXPECT_THAT(parsed.warnings, IsEmpty());
  const LoaderConfig& config = *parsed.config;
  ASSERT_THAT(config.entries, SizeIs(2));
  EXPECT_EQ(config.entries[0].engine, "s4e");
  EXPECT_TRUE(config.entries[0].required);
  ASSERT_THAT(config.entries[0].variables, SizeIs(2));
  EXPECT_EQ(config.entries[0].variables[1].name, "DB_PASS");
  EXPECT_EQ(config.entries[0].variables[1].key, "password");
  EXPECT_EQ(config.entries[0].files.at(0).name, "ca.pem");
  EXPECT_EQ(config.entries[1].engine, "kv");
  EXPECT_FALSE(config.entries[1].required);
  ASSERT_THAT(config.templates, SizeIs(2));
  EXPECT_EQ(config.templates[0].mode, 0640u);
  EXPECT_EQ(config.templates[1].source, "/etc/x.tpl");

  const std::string error = ErrorOf(WithVault("") + R"(
entries:
  - {variables: {BAD-NAME: k, GOOD: [x]}, files: text}
  - text
templates:
  - {destination: /a}
  - {contents: x, source: y}
  - text
)");
  EXPECT_THAT(error, HasSubstr("entries[0].path is missing"));
  EXPECT_THAT(error, HasSubstr("entries[0].variables: \"BAD-NAME\" cannot be"));
  EXPECT_THAT(error, HasSubstr("entries[0].variables.GOOD must name a key"));
  EXPECT_THAT(error, HasSubstr("entries[0].files must be a mapping"));
  EXPECT_THAT(error, HasSubstr("entries[1] must be a mapping"));
  EXPECT_THAT(error, HasSubstr("templates[0] needs contents, or source"));
  EXPECT_THAT(error, HasSubstr("templates[1].destination is missing"));
  EXPECT_THAT(error, HasSubstr("templates[2] must be a mapping"));
}

TEST(LoaderConfigTest, NoValueIsEverEchoed) {
  const std::string error = ErrorOf(R"(provider: canary-1
vault:
  address: "https://canary-2:canary-3@host"
  engine: "canary-4//x"
  tlsDisabled: canary-5
  auth: {method: canary-6, token: [canary-7]}
serviceName: ../canary-8
)");
  EXPECT_THAT(error, AllOf(Not(HasSubstr("canary-1")), Not(HasSubstr("canary-3")),
                           Not(HasSubstr("canary-5")), Not(HasSubstr("canary-6")),
                           Not(HasSubstr("canary-7"))));
  EXPECT_THAT(error, HasSubstr("vault.auth.token must be text"));
}

TEST(LoaderConfigTest, RequiredFields) {
  EXPECT_THAT(ErrorOf("serviceName: svc\n"), HasSubstr("vault is missing"));
  EXPECT_THAT(ErrorOf("vault: {auth: {method: kubernetes}}\nserviceName: svc\n"),
              HasSubstr("vault.auth.role is missing"));
  EXPECT_THAT(ErrorOf("vault: {auth: {method: token}}\n"), HasSubstr("serviceName is missing"));
  // Without environment and file secrets the name serves nothing.
  const Parsed off = Parse(
      "vault: {auth: {method: token}}\n"
      "secrets: {envSecrets: {enabled: false}, fileSecrets: {enabled: \"false\"}}\n");
  EXPECT_TRUE(off.config.ok()) << off.config.status();
}

TEST(LoaderConfigTest, WhatIsNoConfigurationAtAll) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("the configuration is empty"));
  EXPECT_THAT(ErrorOf("- a\n"), HasSubstr("config.yaml:1:1: the configuration must be a mapping"));
  EXPECT_THAT(ErrorOf("vault: {a: [1, 2\n"), HasSubstr("config.yaml:"));
}

TEST(LoaderConfigTest, WarningsMayBeIgnored) {
  EXPECT_TRUE(ParseLoaderConfig(kChartConfig + std::string("extra: 1\n"), "c", nullptr).ok());
}

}  // namespace
}  // namespace vaultcore
