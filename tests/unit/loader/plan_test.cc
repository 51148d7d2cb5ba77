#include "loader/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/status_matchers.h"

namespace loader {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using vaultcore::IsOk;
using vaultcore::LoaderConfig;
using vaultcore::LoaderDatabase;

LoaderConfig Config() {
  LoaderConfig config;
  config.base_path = "harness";
  config.service = "log-service";
  return config;
}

LoaderDatabase Static(std::string type) {
  LoaderDatabase database;
  database.type = std::move(type);
  database.engine = "secret";
  database.user_variables = {"USER_NAME"};
  return database;
}

LoaderDatabase Dynamic(std::string type, std::string role) {
  LoaderDatabase database;
  database.type = std::move(type);
  database.dynamic = true;
  database.engine = "database";
  database.role = std::move(role);
  database.user_variables = {"USER_NAME"};
  return database;
}

std::vector<std::string> Paths(const FetchPlan& plan) {
  std::vector<std::string> paths;
  paths.reserve(plan.refs.size());
  for (const auto& ref : plan.refs) paths.push_back(ref.ToString());
  return paths;
}

TEST(FetchPlanTest, EntriesOfTheServiceAndItsDatabases) {
  LoaderConfig config = Config();
  config.databases.push_back(Static("mongo"));
  config.databases.push_back(Static("redis"));
  config.databases[1].static_path = "external/redis";
  config.databases[1].engine = "kv";
  config.databases.push_back(Dynamic("postgres", "app"));
  const auto plan = MakeFetchPlan(config);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(Paths(*plan), ElementsAre("secret/harness/log-service/env-secrets",
                                        "secret/harness/log-service/file-secrets",
                                        "secret/harness/mongo", "kv/external/redis"));
  ASSERT_THAT(plan->items, SizeIs(4));
  EXPECT_EQ(plan->items[0].Label(config), "environment");
  EXPECT_EQ(plan->items[1].Label(config), "files");
  EXPECT_EQ(plan->items[2].Label(config), "database mongo");
  ASSERT_THAT(plan->roles, SizeIs(1));
  EXPECT_EQ(plan->roles[0].Path(), "database/creds/app");
}

TEST(FetchPlanTest, WithoutABasePathEntriesStandBelowTheMount) {
  LoaderConfig config = Config();
  config.base_path = "";
  config.databases.push_back(Static("mongo"));
  const auto plan = MakeFetchPlan(config);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(Paths(*plan), ElementsAre("secret/log-service/env-secrets",
                                        "secret/log-service/file-secrets", "secret/mongo"));
}

TEST(FetchPlanTest, EntriesByNameAndTemplates) {
  LoaderConfig config = Config();
  config.env_enabled = false;
  config.files_enabled = false;
  vaultcore::LoaderEntry entry;
  entry.engine = "s4e";
  entry.path = "database";
  config.entries.push_back(entry);
  config.templates.push_back(
      {.destination = "/a", .contents = "{{ secret \"x/y\" }}", .source = ""});
  config.templates.push_back(
      {.destination = "/b", .contents = "{{ secret \"x/y\" }}", .source = ""});
  const auto plan = MakeFetchPlan(config);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(Paths(*plan), ElementsAre("s4e/harness/database"));
  EXPECT_EQ(plan->items.at(0).Label(config), "entry database");
  EXPECT_THAT(plan->templates, SizeIs(2));
  EXPECT_THAT(plan->api_paths, ElementsAre("x/y"));
  config.templates[0].contents = "{{ nonsense }}";
  EXPECT_THAT(MakeFetchPlan(config),
              vaultcore::StatusIs(vaultcore::ErrorKind::kUsage, HasSubstr("templates[0]:1:4: ")));
}

TEST(FetchPlanTest, NothingIsReadTwice) {
  LoaderConfig config = Config();
  config.databases = {Static("mongo"), Static("mongo"), Dynamic("a", "app"), Dynamic("b", "app")};
  const auto plan = MakeFetchPlan(config);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->refs, SizeIs(3));
  EXPECT_THAT(plan->items, SizeIs(4));
  EXPECT_THAT(plan->roles, SizeIs(1));
  EXPECT_THAT(plan->dynamic_items, SizeIs(2));
}

TEST(FetchPlanTest, WhatIsSwitchedOffIsNotRead) {
  LoaderConfig config = Config();
  config.env_enabled = false;
  const auto files_only = MakeFetchPlan(config);
  ASSERT_THAT(files_only, IsOk());
  EXPECT_THAT(Paths(*files_only), ElementsAre("secret/harness/log-service/file-secrets"));
  config.files_enabled = false;
  config.service = "";
  const auto nothing = MakeFetchPlan(config);
  ASSERT_THAT(nothing, IsOk());
  EXPECT_TRUE(nothing->empty());
}

TEST(FetchPlanTest, CredentialsWithoutAReceiverAreNotIssued) {
  LoaderConfig config = Config();
  config.databases.push_back(Dynamic("postgres", "app"));
  config.databases[0].user_variables.clear();
  const auto plan = MakeFetchPlan(config);
  ASSERT_THAT(plan, IsOk());
  EXPECT_THAT(plan->roles, IsEmpty());
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("database postgres: no credentials are")));
}

}  // namespace
}  // namespace loader
