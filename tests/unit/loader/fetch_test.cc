#include "loader/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "loader/check.h"
#include "support/status_matchers.h"
#include "unit/loader/fixture.h"

namespace loader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vaultcore::DatabaseCredentials;
using vaultcore::ErrorKind;
using vaultcore::IsOk;
using vaultcore::KvEntry;
using vaultcore::LoaderConfig;
using vaultcore::MakeError;
using vaultcore::Mount;
using vaultcore::Secret;
using vaultcore::SecretRef;
using vaultcore::StatusIs;
using vaultcore::StatusOr;

// Answers from a table, and writes down what it was asked.
class FakeVault final : public VaultReader {
 public:
  std::vector<StatusOr<KvEntry>> ReadMany(const std::vector<SecretRef>& refs) override {
    std::string call = "read";
    std::vector<StatusOr<KvEntry>> results;
    for (const SecretRef& ref : refs) {
      call += " " + ref.ToString();
      const auto found = entries.find(ref.ToString());
      if (found == entries.end()) {
        results.emplace_back(Absent());
      } else {
        results.push_back(std::move(found->second));
      }
    }
    calls.push_back(call);
    return results;
  }

  StatusOr<DatabaseCredentials> ReadDatabaseCredentials(const Mount& mount,
                                                        std::string_view role) override {
    calls.push_back("issue " + mount.text() + "/" + std::string(role));
    DatabaseCredentials credentials;
    credentials.username = Secret::CopyOf("issued-user");
    credentials.password = Secret::CopyOf("issued-password");
    credentials.lease_duration = std::chrono::seconds(3600);
    return credentials;
  }

  StatusOr<std::vector<std::vector<std::string>>> Capabilities(
      const std::vector<std::string>& api_paths) override {
    std::vector<std::vector<std::string>> held;
    held.reserve(api_paths.size());
    for (const std::string& path : api_paths) held.push_back(capabilities[path]);
    return held;
  }

  std::vector<StatusOr<PathAnswer>> ReadPaths(const std::vector<std::string>& api_paths) override {
    std::string call = "paths";
    std::vector<StatusOr<PathAnswer>> results;
    for (const std::string& path : api_paths) {
      call += " " + path;
      PathAnswer answer;
      answer.data = vaultcore::Json::Parse(R"({"data": {"host": "db.example"}})").value();
      answer.leased = path.find("creds") != std::string::npos;
      results.emplace_back(std::move(answer));
    }
    calls.push_back(call);
    return results;
  }

  std::map<std::string, StatusOr<KvEntry>> entries;
  std::map<std::string, std::vector<std::string>> capabilities;
  std::vector<std::string> calls;
};

class FetchTest : public ::testing::Test {
 protected:
  StatusOr<Assembled> FetchNow() {
    const auto plan = MakeFetchPlan(config_);
    EXPECT_THAT(plan, IsOk());
    return Fetch(vault_, config_, *plan, log_);
  }
  CheckResult CheckNow() {
    const auto plan = MakeFetchPlan(config_);
    EXPECT_THAT(plan, IsOk());
    return Check(vault_, config_, *plan, log_);
  }

  LoaderConfig config_ = ServiceConfig();
  FakeVault vault_;
  std::string output_;
  Log log_{"loader", Log::Level::kNormal, [this](std::string_view line) { output_ += line; }};
};

TEST_F(FetchTest, AllEntriesAreReadAtOnceAndCredentialsIssuedAfterwards) {
  config_.databases.push_back(Database("mongo"));
  config_.databases.push_back(Database("postgres", true));
  vault_.entries.emplace("secret/harness/svc/env-secrets", Entry({{"A", "\"1\""}}));
  const auto assembled = FetchNow();
  ASSERT_THAT(assembled, IsOk());
  EXPECT_THAT(vault_.calls,
              ElementsAre("read secret/harness/svc/env-secrets secret/harness/svc/file-secrets "
                          "secret/harness/mongo",
                          "issue database/app"));
  EXPECT_EQ(assembled->variables.at("DB_USER").value.Reveal(), "issued-user");
  EXPECT_EQ(output_,
            "loader: warning: there is no entry secret/harness/svc/file-secrets; going on "
            "without it\n"
            "loader: warning: there is no entry secret/harness/mongo; going on "
            "without it\n"
            "loader: database/creds/app: credentials issued for 3600 s\n");
}

TEST_F(FetchTest, NoCredentialsAreIssuedForARunThatFails) {
  config_.databases.push_back(Database("postgres", true));
  config_.env_required = true;
  EXPECT_THAT(FetchNow(), StatusIs(ErrorKind::kNotFound));
  EXPECT_THAT(vault_.calls, ::testing::SizeIs(1));
}

TEST_F(FetchTest, TheFirstErrorIsTheResultAndTheOthersAreTold) {
  vault_.entries.emplace("secret/harness/svc/env-secrets",
                         MakeError(ErrorKind::kPermission, "first"));
  vault_.entries.emplace("secret/harness/svc/file-secrets",
                         MakeError(ErrorKind::kPermission, "second"));
  EXPECT_THAT(FetchNow(), StatusIs(ErrorKind::kPermission, "first"));
  EXPECT_EQ(output_, "loader: warning: second\n");
}

TEST_F(FetchTest, OneCauseOfAllFailuresIsToldOnce) {
  for (const char* path : {"secret/harness/svc/env-secrets", "secret/harness/svc/file-secrets"}) {
    vault_.entries.emplace(path, MakeError(ErrorKind::kUnavailable, "Vault is sealed"));
  }
  EXPECT_THAT(FetchNow(), StatusIs(ErrorKind::kUnavailable, "Vault is sealed"));
  EXPECT_EQ(output_, "");
}

TEST_F(FetchTest, TemplatesAreRenderedFromPathsReadOnceAndLast) {
  config_.templates.push_back(
      {.destination = "/vault/secrets/db",
       .contents = "{{ with secret \"s4e/data/database\" }}{{ .Data.data.host }}{{ end }}",
       .source = "",
       .mode = 0640});
  config_.templates.push_back(config_.templates[0]);
  config_.templates[1].destination = "/vault/secrets/again";
  vault_.entries.emplace("secret/harness/svc/env-secrets", Entry({{"A", "\"1\""}}));
  const auto assembled = FetchNow();
  ASSERT_THAT(assembled, IsOk());
  EXPECT_THAT(vault_.calls, ElementsAre(HasSubstr("read"), "paths s4e/data/database"));
  ASSERT_EQ(assembled->rendered.size(), 2u);
  EXPECT_EQ(assembled->rendered[0].path, "/vault/secrets/db");
  EXPECT_EQ(assembled->rendered[0].content.Reveal(), "db.example");
  EXPECT_EQ(assembled->rendered[0].mode, 0640u);
  EXPECT_FALSE(assembled->holds_lease);
}

TEST_F(FetchTest, WhatWasIssuedNeedsTheToken) {
  config_.env_enabled = false;
  config_.files_enabled = false;
  config_.templates.push_back({.destination = "/d",
                               .contents = "{{ with secret \"database/creds/app\" }}{{ end }}",
                               .source = ""});
  const auto assembled = FetchNow();
  ASSERT_THAT(assembled, IsOk());
  EXPECT_TRUE(assembled->holds_lease);
  EXPECT_THAT(vault_.calls, ElementsAre("paths database/creds/app"));
}

TEST_F(FetchTest, CheckReadsNoPathOfATemplate) {
  config_.templates.push_back({.destination = "/d",
                               .contents = "{{ with secret \"database/creds/app\" }}{{ end }}",
                               .source = ""});
  vault_.entries.emplace("secret/harness/svc/env-secrets", Entry({{"A", "\"1\""}}));
  vault_.capabilities["database/creds/app"] = {"read"};
  const CheckResult check = CheckNow();
  EXPECT_THAT(check.status, IsOk());
  EXPECT_THAT(check.table, HasSubstr("templates    database/creds/app               read on load"));
  EXPECT_THAT(vault_.calls, ::testing::SizeIs(1));
}

TEST_F(FetchTest, CheckShowsWhatIsFoundAndReadable) {
  config_.databases.push_back(Database("mongo"));
  config_.databases.push_back(Database("postgres", true));
  vault_.entries.emplace("secret/harness/svc/env-secrets",
                         Entry({{"A", "\"canary\""}, {"B", "\"canary\""}}));
  vault_.entries.emplace("secret/harness/mongo", Absent(KvEntry::State::kDeleted));
  vault_.capabilities["database/creds/app"] = {"read"};
  const CheckResult check = CheckNow();
  EXPECT_THAT(check.status, IsOk());
  EXPECT_EQ(check.table,
            "ITEM               PATH                             FOUND               READABLE\n"
            "environment        secret/harness/svc/env-secrets   yes, 2 keys         yes\n"
            "files              secret/harness/svc/file-secrets  no                  yes\n"
            "database mongo     secret/harness/mongo             deleted, version 3  yes\n"
            "database postgres  database/creds/app               issued on load      yes\n"
            "4 variables for /shared/env/.env, 0 files for /shared/files\n");
}

TEST_F(FetchTest, CheckIssuesNoCredentials) {
  config_.databases.push_back(Database("postgres", true));
  vault_.entries.emplace("secret/harness/svc/env-secrets", Entry({{"A", "\"1\""}}));
  const CheckResult check = CheckNow();
  EXPECT_THAT(check.status,
              StatusIs(ErrorKind::kPermission, HasSubstr("may not read database/creds")));
  EXPECT_THAT(check.table, HasSubstr("database/creds/app"));
  EXPECT_THAT(vault_.calls, ::testing::SizeIs(1));
}

TEST_F(FetchTest, CheckOfAForbiddenEntryStillShowsTheWholeTable) {
  vault_.entries.emplace("secret/harness/svc/env-secrets",
                         MakeError(ErrorKind::kPermission, "permission denied"));
  vault_.entries.emplace("secret/harness/svc/file-secrets", Entry({{"a", "\"1\""}}));
  const CheckResult check = CheckNow();
  EXPECT_THAT(check.status, StatusIs(ErrorKind::kPermission));
  EXPECT_EQ(check.table,
            "ITEM         PATH                             FOUND       READABLE\n"
            "environment  secret/harness/svc/env-secrets   unknown     no\n"
            "files        secret/harness/svc/file-secrets  yes, 1 key  yes\n");
}

TEST_F(FetchTest, CheckEndsAsALoadWould) {
  EXPECT_THAT(CheckNow().status, StatusIs(ErrorKind::kNotFound, HasSubstr("nothing found")));
}

TEST(RequestReporterTest, OneLineForEachChangeOfState) {
  std::string output;
  const Log log("loader", Log::Level::kNormal,
                [&output](std::string_view line) { output += line; });
  RequestReporter reporter(log);
  vaultcore::RequestEvent refused;
  refused.error = "connect 127.0.0.1:8200: connection refused";
  refused.retry_in = vaultcore::Milliseconds(250);
  vaultcore::RequestEvent sealed;
  sealed.http_status = 503;
  sealed.error = "Vault is sealed";
  sealed.retry_in = vaultcore::Milliseconds(250);
  vaultcore::RequestEvent limited;
  limited.http_status = 429;
  limited.retry_in = vaultcore::Milliseconds(250);
  vaultcore::RequestEvent given_up;
  given_up.http_status = 503;
  vaultcore::RequestEvent done;
  done.http_status = 200;
  for (const auto& event : {refused, refused, sealed, sealed, limited, given_up, done, done}) {
    reporter.Observe(event);
  }
  EXPECT_EQ(output,
            "loader: waiting for Vault: connect 127.0.0.1:8200: connection refused\n"
            "loader: waiting for Vault: Vault is sealed\n"
            "loader: waiting for Vault: HTTP 429\n"
            "loader: Vault answers\n");
}

TEST(LogTest, LevelsDecideWhatIsSaid) {
  for (const auto level : {Log::Level::kQuiet, Log::Level::kNormal, Log::Level::kVerbose}) {
    std::string output;
    const Log log("p", level, [&output](std::string_view line) { output += line; });
    log.Info("info");
    log.Warning("warning");
    RequestReporter reporter(log);
    vaultcore::RequestEvent event;
    event.api_path = "secret/data/x";
    event.http_status = 200;
    event.duration = vaultcore::Milliseconds(7);
    reporter.Observe(event);
    std::string expected =
        level == Log::Level::kQuiet ? "p: warning: warning\n" : "p: info\np: warning: warning\n";
    if (level == Log::Level::kVerbose) expected += "p: GET secret/data/x: HTTP 200 in 7 ms\n";
    EXPECT_EQ(output, expected);
  }
}

}  // namespace
}  // namespace loader
