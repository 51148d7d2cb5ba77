// What the loader's unit tests share: entries as a Vault would answer them.

#ifndef TESTS_UNIT_LOADER_FIXTURE_H_
#define TESTS_UNIT_LOADER_FIXTURE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader/fetch.h"
#include "vaultcore/api/json.h"
#include "vaultcore/api/kv.h"

namespace loader {

// An entry with these keys; each value is JSON text ("\"abc\"", "1.10", "null").
inline vaultcore::KvEntry Entry(
    const std::vector<std::pair<std::string, std::string_view>>& json_values) {
  vaultcore::KvEntry entry;
  entry.state = vaultcore::KvEntry::State::kPresent;
  entry.version = 1;
  for (const auto& [key, json] : json_values) {
    entry.data.emplace(key, vaultcore::Json::Parse(json).value());
  }
  return entry;
}

inline vaultcore::KvEntry Absent(
    vaultcore::KvEntry::State state = vaultcore::KvEntry::State::kAbsent) {
  vaultcore::KvEntry entry;
  entry.state = state;
  if (state != vaultcore::KvEntry::State::kAbsent) entry.version = 3;
  return entry;
}

inline vaultcore::LoaderConfig ServiceConfig() {
  vaultcore::LoaderConfig config;
  config.base_path = "harness";
  config.service = "svc";
  config.env_file = "/shared/env/.env";
  config.files_folder = "/shared/files";
  return config;
}

inline vaultcore::LoaderDatabase Database(std::string type, bool dynamic = false) {
  vaultcore::LoaderDatabase database;
  database.type = std::move(type);
  database.dynamic = dynamic;
  database.engine = dynamic ? "database" : "secret";
  if (dynamic) database.role = "app";
  database.user_variables = {"DB_USER"};
  database.password_variables = {"DB_PASSWORD"};
  return database;
}

}  // namespace loader

#endif  // TESTS_UNIT_LOADER_FIXTURE_H_
