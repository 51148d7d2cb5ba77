#include "loader/fetch.h"

#include <absl/strings/str_cat.h>

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "vaultcore/api/errors.h"
#include "vaultcore/api/http.h"

namespace loader {
namespace {

using vaultcore::DatabaseCredentials;
using vaultcore::HttpRequest;
using vaultcore::HttpResponse;
using vaultcore::Json;
using vaultcore::KvEntry;
using vaultcore::LoaderConfig;
using vaultcore::MessageOf;
using vaultcore::Secret;
using vaultcore::Status;
using vaultcore::StatusOr;

StatusOr<std::vector<KvEntry>> ReadEntries(VaultReader& vault, const FetchPlan& plan,
                                           const Log& log) {
  std::vector<KvEntry> entries;
  if (plan.refs.empty()) return entries;
  Status first_error;
  std::set<std::string, std::less<>> told;  // one cause often fails all reads alike
  entries.reserve(plan.refs.size());
  for (StatusOr<KvEntry>& result : vault.ReadMany(plan.refs)) {
    if (result.ok()) {
      entries.push_back(*std::move(result));
      continue;
    }
    const bool is_new = told.emplace(MessageOf(result.status())).second;
    if (first_error.ok()) {
      first_error = result.status();
    } else if (is_new) {
      log.Warning(MessageOf(result.status()));
    }
  }
  VC_RETURN_IF_ERROR(first_error);
  return entries;
}

StatusOr<PathAnswer> ParsePathAnswer(const std::string& api_path, const HttpResponse& response) {
  if (response.status < 200 || response.status > 299) {
    const vaultcore::Operation operation{
        .what = absl::StrCat("read ", api_path), .policy_path = api_path, .capability = "read"};
    return vaultcore::InterpretError(operation, response);
  }
  VC_ASSIGN_OR_RETURN(const Json body, Json::Parse(response.body.Reveal()));
  PathAnswer answer;
  answer.data = body["data"].Clone();
  answer.leased = !body["lease_id"].AsText().empty();
  return answer;
}

// Renders the plan's templates into `assembled`.
Status Render(VaultReader& vault, const LoaderConfig& config, const FetchPlan& plan,
              Assembled& assembled) {
  if (plan.templates.empty()) return absl::OkStatus();
  std::map<std::string, PathAnswer, std::less<>> answers;
  if (!plan.api_paths.empty()) {
    std::vector<StatusOr<PathAnswer>> results = vault.ReadPaths(plan.api_paths);
    for (size_t i = 0; i < results.size(); ++i) {
      VC_RETURN_IF_ERROR(results[i].status());
      assembled.holds_lease = assembled.holds_lease || results[i]->leased;
      answers.emplace(plan.api_paths[i], *std::move(results[i]));
    }
  }
  const auto answer_of = [&answers](std::string_view path) -> const Json& {
    return answers.find(path)->second.data;
  };
  for (size_t i = 0; i < plan.templates.size(); ++i) {
    VC_ASSIGN_OR_RETURN(Secret content, plan.templates[i].Render(answer_of));
    assembled.rendered.push_back({.path = config.templates[i].destination,
                                  .content = std::move(content),
                                  .mode = config.templates[i].mode});
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<StatusOr<PathAnswer>> ClientReader::ReadPaths(
    const std::vector<std::string>& api_paths) {
  std::vector<HttpRequest> requests;
  requests.reserve(api_paths.size());
  for (const std::string& path : api_paths) requests.emplace_back(vaultcore::Method::kGet, path);
  std::vector<StatusOr<HttpResponse>> responses = client_.SendMany(std::move(requests));
  std::vector<StatusOr<PathAnswer>> answers;
  answers.reserve(responses.size());
  for (size_t i = 0; i < responses.size(); ++i) {
    if (responses[i].ok()) {
      answers.push_back(ParsePathAnswer(api_paths[i], *responses[i]));
    } else {
      answers.emplace_back(responses[i].status());
    }
  }
  return answers;
}

StatusOr<Assembled> Fetch(VaultReader& vault, const LoaderConfig& config, const FetchPlan& plan,
                          const Log& log) {
  for (const std::string& warning : plan.warnings) log.Warning(warning);
  VC_ASSIGN_OR_RETURN(const std::vector<KvEntry> entries, ReadEntries(vault, plan, log));
  VC_ASSIGN_OR_RETURN(const std::vector<std::string> missing, CheckPresence(config, plan, entries));
  for (const std::string& line : missing) log.Warning(absl::StrCat(line, "; going on without it"));

  std::vector<DatabaseCredentials> credentials;
  for (const DatabaseRole& role : plan.roles) {
    VC_ASSIGN_OR_RETURN(DatabaseCredentials issued,
                        vault.ReadDatabaseCredentials(role.mount, role.role));
    log.Info(absl::StrCat(role.Path(), ": credentials issued for ", issued.lease_duration.count(),
                          " s"));
    credentials.push_back(std::move(issued));
  }
  VC_ASSIGN_OR_RETURN(Assembled assembled, Assemble(config, plan, entries, credentials));
  assembled.holds_lease = !plan.roles.empty();
  VC_RETURN_IF_ERROR(Render(vault, config, plan, assembled));
  for (const std::string& warning : assembled.warnings) log.Warning(warning);
  return assembled;
}

}  // namespace loader
