// What a run did, for people (a table) and for programs (JSON). Never holds a value. Pure.

#ifndef APPS_GENERATOR_REPORT_H_
#define APPS_GENERATOR_REPORT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "generator/decision.h"
#include "generator/needs.h"
#include "generator/options.h"
#include "generator/upload.h"
#include "vaultcore/model/kv_mapper.h"

namespace generator {

// What became of one key.
enum class KeyState {
  kPresent,
  kWritten,
  kToWrite,     // plan
  kMissing,     // verify
  kNotWritten,  // the run ended before
  kByHand,
  kConflict,
  kBlocked,
};

struct ReportKey {
  std::string service;
  EntryKind kind = EntryKind::kEnv;
  std::string entry;  // "secret/harness/accounts/env-secrets"
  std::string key;
  std::string source;  // "accounts/jwt"; empty when the chart renders none
  Class cls = Class::kExternal;
  Reason reason = Reason::kNone;
  KeyState state = KeyState::kByHand;
  std::string made;      // how its value was made, in words
  std::string problem;   // kConflict, kBlocked, kNotWritten
  std::string command;   // kByHand: what adds it
  uint64_t version = 0;  // kWritten, on KV v2: the entry's new version
  bool optional = false;
  bool is_public = false;
};

struct Report {
  Command command = Command::kGenerate;
  std::string release;
  std::string chart;
  std::string address;
  std::vector<ReportKey> keys;
  std::vector<Staying> staying;
  std::vector<DynamicDatabase> dynamic;
  std::vector<std::string> notes;
  std::vector<std::string> problems;
  size_t entries_written = 0;

  size_t Count(KeyState state) const;
  // A database role that a loader will ask for, and that Vault does not have.
  void AddMissingRole(const DynamicDatabase& database);
  // Keys that are not in Vault and that a service does not start without.
  size_t CountMissing() const;
};

struct ReportContext {
  Command command = Command::kGenerate;
  std::string release;
  std::string chart;
  std::string address;
  std::string release_namespace;
  std::set<vaultcore::Mount> v1_mounts;
};

Report MakeReport(const ReportContext& context, const Needs& needs, const Decisions& decisions,
                  const UploadOutcome& outcome);

// `all`: also the keys that were there already.
std::string FormatTable(const Report& report, bool all);
// Documented in docs/generator-report.md; stable.
std::string FormatJson(const Report& report);

// The names that the JSON report uses.
std::string_view NameOf(Command command);
std::string_view NameOf(Class cls);
std::string_view NameOf(Reason reason);
std::string_view NameOf(KeyState state);
std::string_view NameOf(EntryKind kind);

}  // namespace generator

#endif  // APPS_GENERATOR_REPORT_H_
