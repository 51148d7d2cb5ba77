#include "loader/assemble.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/status_matchers.h"
#include "unit/loader/fixture.h"
#include "vaultcore/base/encoding.h"

namespace loader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using vaultcore::DatabaseCredentials;
using vaultcore::ErrorKind;
using vaultcore::HintIs;
using vaultcore::IsOk;
using vaultcore::KvEntry;
using vaultcore::LoaderConfig;
using vaultcore::Secret;
using vaultcore::StatusIs;
using vaultcore::StatusOr;

template <typename... Entries>
std::vector<KvEntry> Answers(Entries... entries) {
  std::vector<KvEntry> answers;
  (answers.push_back(std::move(entries)), ...);
  return answers;
}

StatusOr<Assembled> AssembleFor(const LoaderConfig& config, std::vector<KvEntry> answers,
                                std::vector<DatabaseCredentials> credentials = {}) {
  const auto plan = MakeFetchPlan(config);
  EXPECT_THAT(plan, IsOk());
  return Assemble(config, *plan, answers, credentials);
}

StatusOr<std::vector<std::string>> PresenceFor(const LoaderConfig& config,
                                               std::vector<KvEntry> answers) {
  const auto plan = MakeFetchPlan(config);
  EXPECT_THAT(plan, IsOk());
  return CheckPresence(config, *plan, answers);
}

std::string Value(const Assembled& assembled, std::string_view name) {
  const auto found = assembled.variables.find(name);
  return found == assembled.variables.end() ? "(none)" : std::string(found->second.value.Reveal());
}

std::string Content(const Assembled& assembled, std::string_view name) {
  const auto found = assembled.files.find(name);
  return found == assembled.files.end() ? "(none)" : std::string(found->second.content.Reveal());
}

DatabaseCredentials Issued(std::string_view user, std::string_view password) {
  DatabaseCredentials credentials;
  credentials.username = Secret::CopyOf(user);
  credentials.password = Secret::CopyOf(password);
  return credentials;
}

TEST(AssembleTest, KeysBecomeVariablesAndFiles) {
  const auto result = AssembleFor(ServiceConfig(),
                                  Answers(Entry({{"A", "\"a b\""}, {"B", "\"\""}}),
                                          Entry({{"tls.crt", "\"CERT\""}, {"app.conf", "\"x\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->variables, SizeIs(2));
  EXPECT_EQ(Value(*result, "A"), "a b");
  EXPECT_EQ(Value(*result, "B"), "");
  EXPECT_THAT(result->files, SizeIs(2));
  EXPECT_EQ(Content(*result, "tls.crt"), "CERT");
  EXPECT_EQ(Content(*result, "app.conf"), "x");
  EXPECT_THAT(result->warnings, IsEmpty());
}

TEST(AssembleTest, ValuesThatAreNoStrings) {
  const auto result =
      AssembleFor(ServiceConfig(), Answers(Entry({{"NUMBER", "1.10"},
                                                  {"BIG", "12345678901234567890123"},
                                                  {"EXPONENT", "1E5"},
                                                  {"YES", "true"},
                                                  {"NOTHING", "null"},
                                                  {"OBJECT", "{\"a\": [1, \"x\"]}"}}),
                                           Absent()));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Value(*result, "NUMBER"), "1.10");
  EXPECT_EQ(Value(*result, "BIG"), "12345678901234567890123");
  EXPECT_EQ(Value(*result, "EXPONENT"), "1E5");
  EXPECT_EQ(Value(*result, "YES"), "true");
  EXPECT_EQ(Value(*result, "NOTHING"), "");
  EXPECT_EQ(Value(*result, "OBJECT"), "{\"a\":[1,\"x\"]}");
}

TEST(AssembleTest, AFileKeyIsAFileWhereverItStands) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("mongo"));
  const auto result = AssembleFor(
      config, Answers(Entry({{"client.pem", "\"PEM\""}, {"STORE.JKS", "\"J\""}}), Absent(),
                      Entry({{"username", "\"u\""}, {"password", "\"p\""}, {"ca.crt", "\"CA\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Content(*result, "client.pem"), "PEM");
  EXPECT_EQ(Content(*result, "STORE.JKS"), "J");
  EXPECT_EQ(Content(*result, "ca.crt"), "CA");
  EXPECT_THAT(result->variables, SizeIs(2));
}

TEST(AssembleTest, FilesAreLeftOutWhereFileSecretsAreOff) {
  LoaderConfig config = ServiceConfig();
  config.files_enabled = false;
  const auto result = AssembleFor(config, Answers(Entry({{"client.pem", "\"PEM\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->files, IsEmpty());
  EXPECT_THAT(result->warnings, ElementsAre(HasSubstr("\"client.pem\" is left out")));
}

TEST(AssembleTest, NamesThatAreNoVariablesAreLeftOutWithAWarning) {
  const auto result = AssembleFor(ServiceConfig(), Answers(Entry({{"GOOD", "\"1\""},
                                                                  {"my-key", "\"2\""},
                                                                  {"1st", "\"3\""},
                                                                  {"a b", "\"4\""},
                                                                  {"PATH", "\"5\""},
                                                                  {"LD_PRELOAD", "\"6\""}}),
                                                           Absent()));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->variables, SizeIs(1));
  EXPECT_THAT(
      result->warnings,
      ::testing::UnorderedElementsAre(
          HasSubstr("secret/harness/svc/env-secrets: key \"my-key\" is left out"),
          HasSubstr("key \"1st\" is left out"), HasSubstr("key \"a b\" is left out"),
          HasSubstr("variable PATH is left out"), HasSubstr("variable LD_PRELOAD is left out")));
}

TEST(AssembleTest, ANulByteIsRefusedInAVariableAndKeptInAFile) {
  EXPECT_THAT(AssembleFor(ServiceConfig(), Answers(Entry({{"A", "\"x\\u0000y\""}}), Absent())),
              StatusIs(ErrorKind::kRejected,
                       HasSubstr("secret/harness/svc/env-secrets: the value for variable A holds "
                                 "a NUL byte")));
  const auto file =
      AssembleFor(ServiceConfig(), Answers(Absent(), Entry({{"a.bin", "\"x\\u0000y\""}})));
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(Content(*file, "a.bin"), std::string("x\0y", 3));
}

TEST(AssembleTest, FileNamesThatLeaveTheFolderAreRefused) {
  for (const char* name : {"../x", "/etc/passwd", "a/../../x", "..", ".", "a//b", "a/", "a\nb"}) {
    EXPECT_THAT(AssembleFor(ServiceConfig(), Answers(Absent(), Entry({{name, "\"v\""}}))),
                StatusIs(ErrorKind::kRejected, HasSubstr("is refused as a file name")))
        << name;
  }
  EXPECT_TRUE(IsSafeFileName("certs/eu/ca.pem"));
  EXPECT_TRUE(IsSafeFileName("..data"));
  EXPECT_FALSE(IsSafeFileName(""));
  EXPECT_FALSE(IsSafeFileName(std::string(256, 'x')));
}

TEST(AssembleTest, AFileCannotBeAnothersFolder) {
  EXPECT_THAT(
      AssembleFor(ServiceConfig(),
                  Answers(Absent(), Entry({{"a", "\"1\""}, {"a.x", "\"2\""}, {"a/b", "\"3\""}}))),
      StatusIs(ErrorKind::kRejected, HasSubstr("cannot be the folder of \"a/b\"")));
}

TEST(AssembleTest, StaticCredentialsFillEveryVariable) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("mongo"));
  config.databases[0].user_variables = {"U1", "U2"};
  config.databases[0].password_variables = {"P1", "P2"};
  const auto result = AssembleFor(
      config,
      Answers(Entry({{"A", "\"1\""}}), Absent(),
              Entry({{"username", "\"root\""}, {"password", "\"pw\""}, {"host", "\"h\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Value(*result, "U1"), "root");
  EXPECT_EQ(Value(*result, "U2"), "root");
  EXPECT_EQ(Value(*result, "P1"), "pw");
  EXPECT_EQ(Value(*result, "P2"), "pw");
  EXPECT_THAT(result->variables, SizeIs(5));
}

TEST(AssembleTest, LaterSourcesWinAndDifferencesAreTold) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("mongo"));
  config.databases.push_back(Database("postgres", true));
  std::vector<DatabaseCredentials> credentials;
  credentials.push_back(Issued("dynamic", "same"));
  const auto result = AssembleFor(
      config,
      Answers(Entry({{"DB_USER", "\"env\""}, {"DB_PASSWORD", "\"same\""}, {"x.pem", "\"env\""}}),
              Entry({{"x.pem", "\"file\""}}),
              Entry({{"username", "\"static\""}, {"password", "\"same\""}})),
      std::move(credentials));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Value(*result, "DB_USER"), "dynamic");
  EXPECT_EQ(Value(*result, "DB_PASSWORD"), "same");
  EXPECT_EQ(Content(*result, "x.pem"), "file");
  EXPECT_THAT(
      result->warnings,
      ElementsAre(HasSubstr("file \"x.pem\" is in secret/harness/svc/env-secrets and, with other "
                            "content, in secret/harness/svc/file-secrets: the latter is used"),
                  HasSubstr("variable DB_USER is in secret/harness/svc/env-secrets and, with "
                            "another value, in secret/harness/mongo"),
                  HasSubstr("variable DB_USER is in secret/harness/mongo and, with another value, "
                            "in database/creds/app")));
}

TEST(AssembleTest, AKeyThatADatabaseLacksIsAWarningUnlessAnotherSourceServes) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("redis"));
  const auto unset =
      AssembleFor(config, Answers(Absent(), Absent(), Entry({{"password", "\"p\""}})));
  ASSERT_THAT(unset, IsOk());
  EXPECT_THAT(unset->warnings,
              ElementsAre("secret/harness/redis has no key \"username\": not set: DB_USER"));
  const auto served = AssembleFor(
      config, Answers(Entry({{"DB_USER", "\"u\""}}), Absent(), Entry({{"password", "\"p\""}})));
  ASSERT_THAT(served, IsOk());
  EXPECT_THAT(served->warnings, IsEmpty());
  config.databases[0].required = true;
  const auto required =
      AssembleFor(config, Answers(Absent(), Absent(), Entry({{"password", "\"p\""}})));
  EXPECT_THAT(required, StatusIs(ErrorKind::kNotFound,
                                 HasSubstr("secret/harness/redis has no key \"username\"")));
  EXPECT_THAT(required, HintIs(HasSubstr("vault kv patch secret/harness/redis username=-")));
}

TEST(AssembleTest, ADatabaseEntryThatIsMissingNamesTheVariablesItLeavesUnset) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("mongo"));
  const auto result =
      AssembleFor(config, Answers(Entry({{"DB_USER", "\"u\""}}), Absent(), Absent()));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->warnings,
              ElementsAre("database mongo has no credentials: not set: DB_PASSWORD"));
}

TEST(AssembleTest, BinaryFilesArriveAsBytesAsTheEncodingSays) {
  // A DER SEQUENCE of 62 bytes.
  const std::string bytes = std::string("0>\x02\x01\x03", 5) + std::string(59, 'x');
  const std::string base64 = std::string(vaultcore::Base64Encode(bytes).Reveal());
  const std::string json = "\"" + base64 + "\"";
  LoaderConfig config = ServiceConfig();
  const auto recognised =
      AssembleFor(config, Answers(Absent(), Entry({{"a.p12", json}, {"t.txt", "\"aGk=\""}})));
  ASSERT_THAT(recognised, IsOk());
  EXPECT_EQ(Content(*recognised, "a.p12"), bytes);
  EXPECT_EQ(Content(*recognised, "t.txt"), "aGk=");

  config.file_encoding = vaultcore::FileEncoding::kRaw;
  const auto raw = AssembleFor(config, Answers(Absent(), Entry({{"a.p12", json}})));
  ASSERT_THAT(raw, IsOk());
  EXPECT_EQ(Content(*raw, "a.p12"), base64);

  config.file_encoding = vaultcore::FileEncoding::kBase64;
  const auto decoded =
      AssembleFor(config, Answers(Absent(), Entry({{"a.p12", json}, {"t.txt", "\"aGk=\""}})));
  ASSERT_THAT(decoded, IsOk());
  EXPECT_EQ(Content(*decoded, "t.txt"), "hi");
  EXPECT_THAT(AssembleFor(config, Answers(Absent(), Entry({{"t.txt", "\"not base64!\""}}))),
              StatusIs(ErrorKind::kRejected, HasSubstr("key \"t.txt\" is not base64")));
}

TEST(AssembleTest, TlsMaterialOfADatabaseHasNamesThatTellWhoseItIs) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("timescale-db"));
  config.databases.push_back(Database("mongo"));
  config.databases[1].ca_file_key = "authority";
  config.databases[1].trust_store_key = "store.p12";
  config.databases[1].trust_store_password_key = "storepass";
  const auto result = AssembleFor(config, Answers(Absent(), Absent(),
                                                  Entry({{"username", "\"u\""},
                                                         {"password", "\"p\""},
                                                         {"caFile", "\"CA\""},
                                                         {"trustStore", "\"JKS\""},
                                                         {"trustStorePassword", "\"tp\""}}),
                                                  Entry({{"username", "\"u\""},
                                                         {"password", "\"p\""},
                                                         {"authority", "\"CA2\""},
                                                         {"store.p12", "\"P12\""},
                                                         {"storepass", "\"tp2\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Content(*result, "timescale-db-ca.pem"), "CA");
  EXPECT_EQ(Content(*result, "timescale-db-truststore.jks"), "JKS");
  EXPECT_EQ(Value(*result, "TIMESCALE_DB_TRUSTSTORE_PASSWORD"), "tp");
  EXPECT_EQ(Content(*result, "mongo-ca.pem"), "CA2");
  EXPECT_EQ(Content(*result, "store.p12"), "P12");
  EXPECT_EQ(Value(*result, "MONGO_TRUSTSTORE_PASSWORD"), "tp2");
  EXPECT_THAT(result->files, SizeIs(4));
}

TEST(AssembleTest, ExpansionIsNoConcernWhereItIsProvidedForOrNothingIsSourced) {
  LoaderConfig config = ServiceConfig();
  config.env_expansion_safe = true;
  const auto safe = AssembleFor(config, Answers(Entry({{"A", "\"${x}\""}}), Absent()));
  ASSERT_THAT(safe, IsOk());
  EXPECT_THAT(safe->warnings, IsEmpty());
  config.env_expansion_safe = false;
  config.env_format = vaultcore::EnvFormat::kJson;
  const auto json = AssembleFor(config, Answers(Entry({{"A", "\"${x}\""}}), Absent()));
  ASSERT_THAT(json, IsOk());
  EXPECT_THAT(json->warnings, IsEmpty());
}

LoaderConfig MappedConfig() {
  LoaderConfig config = ServiceConfig();
  config.base_path = "";
  config.env_enabled = false;
  config.files_enabled = false;
  vaultcore::LoaderEntry entry;
  entry.engine = "s4e";
  entry.path = "database";
  entry.variables = {{"DB_HOST", "host"}, {"DB_PASS", "password"}};
  entry.files = {{"ca.pem", "ca"}};
  config.entries.push_back(std::move(entry));
  return config;
}

TEST(AssembleTest, EntriesByNameFillChosenVariablesAndFiles) {
  const auto result = AssembleFor(
      MappedConfig(),
      Answers(
          Entry({{"host", "\"h\""}, {"password", "\"p\""}, {"ca", "\"CA\""}, {"other", "\"x\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(Value(*result, "DB_HOST"), "h");
  EXPECT_EQ(Value(*result, "DB_PASS"), "p");
  EXPECT_THAT(result->variables, SizeIs(2));
  EXPECT_EQ(Content(*result, "ca.pem"), "CA");
  EXPECT_THAT(result->warnings, IsEmpty());
}

TEST(AssembleTest, AnEntryByNameAndItsKeysAreRequiredUnlessSaidOtherwise) {
  LoaderConfig config = MappedConfig();
  EXPECT_THAT(PresenceFor(config, Answers(Absent())),
              StatusIs(ErrorKind::kNotFound, "there is no entry s4e/database"));
  EXPECT_THAT(AssembleFor(config, Answers(Entry({{"host", "\"h\""}}))),
              StatusIs(ErrorKind::kNotFound, "s4e/database has no key \"password\""));
  config.entries[0].required = false;
  const auto partly = AssembleFor(config, Answers(Entry({{"host", "\"h\""}})));
  ASSERT_THAT(partly, IsOk());
  EXPECT_THAT(partly->warnings,
              ::testing::UnorderedElementsAre("s4e/database has no key \"ca\"",
                                              "s4e/database has no key \"password\": not set: "
                                              "DB_PASS"));
  const auto absent = AssembleFor(config, Answers(Absent()));
  ASSERT_THAT(absent, IsOk());
  EXPECT_THAT(absent->warnings,
              ElementsAre("there is no entry s4e/database: not set: DB_HOST, DB_PASS"));
}

TEST(AssembleTest, WarnsAboutValuesThatTheApplicationMayNotReceiveAsTheyAre) {
  const std::string huge = "\"" + std::string(128 << 10, 'x') + "\"";
  const auto result = AssembleFor(ServiceConfig(), Answers(Entry({{"URL", "\"mongodb://${USER}\""},
                                                                  {"HUGE", huge},
                                                                  {"name", "\"1\""},
                                                                  {"NAME", "\"2\""}}),
                                                           Absent()));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->warnings,
              ::testing::UnorderedElementsAre(
                  HasSubstr("variable URL of secret/harness/svc/env-secrets holds \"${\""),
                  HasSubstr("variable HUGE of secret/harness/svc/env-secrets is longer than"),
                  HasSubstr("variables NAME and name differ only in upper and lower case")));
}

TEST(AssembleTest, NoMessageHoldsAValue) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("mongo"));
  const auto result = AssembleFor(
      config, Answers(Entry({{"DB_USER", "\"canary ${x}\""}, {"bad-name", "\"canary\""}}), Absent(),
                      Entry({{"username", "\"canary 2\""}})));
  ASSERT_THAT(result, IsOk());
  EXPECT_THAT(result->warnings, Not(IsEmpty()));
  for (const std::string& warning : result->warnings) {
    EXPECT_THAT(warning, Not(HasSubstr("canary")));
  }
}

TEST(CheckPresenceTest, AnEntryMissingBesideOneThatIsThereIsOnlyMentioned) {
  const auto missing = PresenceFor(ServiceConfig(), Answers(Entry({{"A", "\"1\""}}), Absent()));
  ASSERT_THAT(missing, IsOk());
  EXPECT_THAT(*missing, ElementsAre("there is no entry secret/harness/svc/file-secrets"));
}

TEST(CheckPresenceTest, NothingAtAllIsAnErrorThatNamesThePaths) {
  const auto missing = PresenceFor(ServiceConfig(), Answers(Absent(), Absent()));
  EXPECT_THAT(missing, StatusIs(ErrorKind::kNotFound,
                                "nothing found: there is no entry "
                                "secret/harness/svc/env-secrets; there is no entry "
                                "secret/harness/svc/file-secrets"));
  EXPECT_THAT(missing, HintIs(HasSubstr("vaultSecretGenerator generate")));
}

TEST(CheckPresenceTest, IssuedCredentialsAloneAreSomething) {
  LoaderConfig config = ServiceConfig();
  config.databases.push_back(Database("postgres", true));
  EXPECT_THAT(PresenceFor(config, Answers(Absent(), Absent())), IsOk());
}

TEST(CheckPresenceTest, RequiredEntriesMustBeThere) {
  LoaderConfig config = ServiceConfig();
  config.files_required = true;
  EXPECT_THAT(PresenceFor(config, Answers(Entry({{"A", "\"1\""}}), Absent())),
              StatusIs(ErrorKind::kNotFound, "there is no entry secret/harness/svc/file-secrets"));
}

TEST(CheckPresenceTest, ADeletedEntryIsToldApartFromOneThatNeverWas) {
  LoaderConfig config = ServiceConfig();
  config.env_required = true;
  const auto missing =
      PresenceFor(config, Answers(Absent(KvEntry::State::kDeleted), Entry({{"a", "\"1\""}})));
  EXPECT_THAT(missing, StatusIs(ErrorKind::kNotFound,
                                "secret/harness/svc/env-secrets was deleted (version 3)"));
  EXPECT_THAT(missing,
              HintIs(HasSubstr("vault kv undelete -versions=3 secret/harness/svc/env-secrets")));
}

}  // namespace
}  // namespace loader
