#include "generator/run.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/ui.h"
#include "generator/backup.h"
#include "generator/chart.h"
#include "generator/connection.h"
#include "generator/console.h"
#include "generator/decision.h"
#include "generator/needs.h"
#include "generator/plan.h"
#include "generator/report.h"
#include "generator/token_life.h"
#include "generator/upload.h"
#include "generator/values.h"
#include "vaultcore/base/file.h"
#include "vaultcore/client/client.h"

namespace generator {
namespace {

using vaultcore::Client;
using vaultcore::ErrorKind;
using vaultcore::ExitCode;
using vaultcore::MakeError;
using vaultcore::Secret;
using vaultcore::SecretRef;
using vaultcore::Status;
using vaultcore::StatusOr;

class ClientStore : public EntryStore {
 public:
  explicit ClientStore(Client& client) : client_(client) {}

  std::vector<StatusOr<vaultcore::KvEntry>> ReadMany(const std::vector<SecretRef>& refs) override {
    return client_.ReadMany(refs);
  }
  std::vector<StatusOr<uint64_t>> WriteMany(const std::vector<vaultcore::KvWrite>& writes,
                                            const OnWritten& on_done) override {
    return client_.WriteMany(writes, on_done);
  }
  bool HasCheckAndSet(const vaultcore::Mount& mount) override {
    // Resolved when the entries were read: no request. Where it is not known, the write says why.
    const StatusOr<vaultcore::KvMount> resolved = client_.ResolveKvMount(mount);
    return !resolved.ok() || resolved->version == vaultcore::KvVersion::kV2;
  }

 private:
  Client& client_;
};

// What the chart needs, and the values for it.
struct Work {
  Needs needs;
  Decisions decisions;
};

class Session {
 public:
  Session(const Options& options, const vaultcore::EnvironmentLookup& environment,
          const std::shared_ptr<vaultcore::Cancellation>& cancellation)
      : options_(options),
        environment_(environment),
        cancellation_(cancellation),
        deadline_(std::chrono::steady_clock::now() + options.timeout),
        console_(options, environment),
        chart_(options, console_) {}

  StatusOr<ExitCode> Run() {
    apps::RunOptions run;
    run.deadline = deadline_;
    run.cancellation = cancellation_.get();
    VC_RETURN_IF_ERROR(chart_.Load(environment_, std::move(run)));
    VC_RETURN_IF_ERROR(ReadSettings());
    VC_ASSIGN_OR_RETURN(Client client, Connect());
    StatusOr<ExitCode> result = RunConnected(client);
    const Status logout = client.Logout();
    if (result.ok() && !logout.ok()) {
      console_.Note("the token of this run could not be revoked: " +
                    std::string(vaultcore::MessageOf(logout)));
    }
    return result;
  }

 private:
  Status ReadSettings() {
    VC_ASSIGN_OR_RETURN(settings_, ReadVaultSettings(chart_.values()));
    StatusOr<vaultcore::SecretLayout> layout =
        vaultcore::SecretLayout::Create(settings_.engine, settings_.base_path);
    if (!layout.ok()) {
      return vaultcore::Annotate(layout.status(), "global.externalSecretsLoader.vault");
    }
    layout_.emplace(*std::move(layout));
    const StatusOr<std::optional<vaultcore::Endpoint>> other =
        vaultcore::VaultAddressFrom(environment_);
    if (other.ok() && other->has_value() && !(**other == settings_.address)) {
      console_.Note("VAULT_ADDR is another address; the values' " + settings_.address.ToString() +
                    " counts");
    }
    return absl::OkStatus();
  }

  StatusOr<Client> Connect() {
    VC_ASSIGN_OR_RETURN(Secret token, OperatorToken(environment_));
    VC_ASSIGN_OR_RETURN(std::unique_ptr<vaultcore::AuthMethod> auth,
                        MakeAuth(settings_, std::move(token)));
    vaultcore::ClientOptions client;
    VC_ASSIGN_OR_RETURN(client.connection, MakeConnection(settings_, environment_));
    client.retry.max_retries = client.connection.max_retries;
    client.deadline = deadline_;
    client.cancellation = cancellation_;
    client.observer = [this](const vaultcore::RequestEvent& event) { console_.Request(event); };
    client.on_warning = [this](std::string_view warning) {
      console_.Note("Vault says: " + std::string(warning));
    };
    console_.progress().Show("connecting to " + settings_.address.ToString());
    VC_ASSIGN_OR_RETURN(Client connected, Client::Connect(std::move(client), std::move(auth)));
    // A wrong token or mount is told now, before Helm is given a minute of work.
    const Status mount = connected.ResolveKvMount(layout_->mount()).status();
    if (!mount.ok()) return ExplainMount(connected, mount);
    VC_RETURN_IF_ERROR(CheckTokenLife(connected));
    return connected;
  }

  // Vault does not tell a mount that is not there from one that the token may not touch. Whoever
  // has a right on the path would be told of the mount if there were one.
  Status ExplainMount(Client& client, const Status& status) const {
    const ErrorKind kind = vaultcore::KindOf(status);
    if (kind != ErrorKind::kPermission && kind != ErrorKind::kNotFound) return status;
    std::string path = layout_->mount().text() + "/data/";
    if (!settings_.base_path.empty()) path += settings_.base_path + "/";
    const StatusOr<std::vector<std::vector<std::string>>> rights =
        client.Capabilities({path + "x"});
    if (!rights.ok()) return status;
    const bool denied =
        std::find(rights->front().begin(), rights->front().end(), "deny") != rights->front().end();
    if (denied) {
      return MakeError(ErrorKind::kPermission,
                       "permission denied: the token may not use " + path + "*",
                       "its policy needs: path \"" + path +
                           "*\" { capabilities = [\"create\", \"update\", \"read\"] }; or the "
                           "mount's name is wrong: vault secrets list");
    }
    return MakeError(ErrorKind::kNotFound, "there is no mount " + layout_->mount().text(),
                     "vault secrets list shows those there are; to make one: vault secrets enable "
                     "-path=" +
                         layout_->mount().text() + " kv-v2");
  }

  StatusOr<ExitCode> RunConnected(Client& client) {
    ClientStore store(client);
    if (!options_.input_json.empty()) return RunRestore(store);
    VC_ASSIGN_OR_RETURN(Work work, FindWork());
    VC_ASSIGN_OR_RETURN(Existing existing, Read(store, EntriesOf(work.needs)));
    Mint mint(work.decisions.tokens, SystemRandomBytes());
    const auto make_plan = [&](const Existing& now) {
      return MakePlan(work.needs, work.decisions, now, mint);
    };
    if (options_.command == Command::kVerify) VC_RETURN_IF_ERROR(CheckRoles(client, work.needs));
    VC_ASSIGN_OR_RETURN(const ExitCode exit_code,
                        Finish(store, std::move(existing), make_plan, work.needs, work.decisions));
    SignEntries(client);
    return exit_code;
  }

  // The roles behind credentials that Vault issues.
  Status CheckRoles(Client& client, Needs& needs) {
    for (const DynamicDatabase& database : needs.dynamic) {
      const std::string path = database.mount + "/roles/" + database.role;
      vaultcore::HttpRequest request(vaultcore::Method::kGet, path);
      VC_ASSIGN_OR_RETURN(const vaultcore::HttpResponse response, client.Send(std::move(request)));
      if (response.status == 404) {
        missing_roles_.push_back(database);
      } else if (response.status != 200) {
        needs.notes.push_back(path + ": this token may not see whether the role exists");
      }
    }
    return absl::OkStatus();
  }

  // Who made an entry, for people who look at it in Vault. The guide's policy does not allow it,
  // which is no reason to complain.
  void SignEntries(Client& client) {
    for (const SecretRef& ref : created_) {
      const Status signed_ = client.WriteCustomMetadata(
          ref, {{"managed-by", std::string(kProgram) + " " + std::string(apps::Version())},
                {"release", options_.release},
                {"chart", options_.chart.substr(options_.chart.find_last_of('/') + 1)}});
      if (!signed_.ok()) return;
    }
  }

  StatusOr<ExitCode> RunRestore(EntryStore& store) {
    VC_ASSIGN_OR_RETURN(const Secret text, ReadInput());
    VC_ASSIGN_OR_RETURN(std::vector<vaultcore::KvWrite> wanted,
                        ParseBackup(text.Reveal(), options_.input_json, Target()));
    const Restore restore = MakeRestore(std::move(wanted));
    VC_ASSIGN_OR_RETURN(Existing existing, Read(store, EntriesOf(restore.needs)));
    const auto make_plan = [&](const Existing& now) -> StatusOr<Plan> {
      return restore.MakePlan(now);
    };
    return Finish(store, std::move(existing), make_plan, restore.needs, restore.decisions);
  }

  StatusOr<Secret> ReadInput() const {
    StatusOr<Secret> text = vaultcore::ReadSecretFile(options_.input_json);
    if (text.ok() || vaultcore::KindOf(text.status()) != ErrorKind::kNotFound) return text;
    // A mistyped file name is a mistake of the command line, not a secret that is missing.
    return MakeError(ErrorKind::kUsage, vaultcore::MessageOf(text.status()));
  }

  BackupTarget Target() const { return {settings_.engine, settings_.base_path}; }

  StatusOr<Existing> Read(EntryStore& store, const std::vector<SecretRef>& refs) {
    console_.progress().Show("reading " + std::to_string(refs.size()) + " entries from Vault");
    return ReadAll(store, refs);
  }

  StatusOr<Work> FindWork() {
    VC_ASSIGN_OR_RETURN(const Renderings renderings, chart_.Render());
    console_.progress().Show("working out what the services need");
    Work work;
    VC_ASSIGN_OR_RETURN(work.needs, FindNeeds(renderings.off, renderings.on,
                                              Defaults{*layout_, settings_.address}));
    VC_ASSIGN_OR_RETURN(const std::vector<TlsKey> tls_keys, DatabaseTlsKeys(chart_.values()));
    VC_RETURN_IF_ERROR(AddTlsKeys(tls_keys, *layout_, work.needs));
    if (!work.needs.knows_loader) {
      work.needs.notes.emplace_back(
          "no chart of this release renders a secrets loader; all that its workloads take from "
          "Secrets is taken");
    }
    work.decisions = Decide(work.needs, renderings.off, renderings.again, chart_.own_values());
    return work;
  }

  StatusOr<ExitCode> Finish(EntryStore& store, Existing existing,
                            const std::function<StatusOr<Plan>(const Existing&)>& make_plan,
                            const Needs& needs, const Decisions& decisions) {
    UploadOutcome outcome;
    if (options_.command != Command::kGenerate) {
      VC_ASSIGN_OR_RETURN(outcome.plan, make_plan(existing));
      outcome.existing = std::move(existing);
    } else {
      VC_RETURN_IF_ERROR(SaveBackup(existing, make_plan));
      UploadProgress progress;
      progress.writing = [this](size_t done, size_t total) {
        console_.progress().ShowCount("uploading", done, total, "entries");
      };
      progress.lost_race = [this] {
        console_.Note("somebody else wrote to the same entries; reading them again");
      };
      outcome = Upload(store, std::move(existing), make_plan, progress);
    }
    created_ = outcome.created;
    console_.progress().Clear();
    Report report = MakeReport(Context(store, needs), needs, decisions, outcome);
    for (const DynamicDatabase& role : missing_roles_) report.AddMissingRole(role);
    if (outcome.without_check_and_set) {
      report.notes.emplace_back(
          "a KV version 1 mount has no check-and-set: entries were read again right before they "
          "were written");
    }
    for (const std::string& note : report.notes) console_.Note(note);
    VC_RETURN_IF_ERROR(Print(report));
    VC_RETURN_IF_ERROR(Unfinished(outcome));
    if (!options_.output_json.empty()) {
      VC_RETURN_IF_ERROR(WriteBackup(outcome.existing, Plan()));
    }
    return ExitOf(report);
  }

  // What was and what was not written is in the report already.
  static Status Unfinished(const UploadOutcome& outcome) {
    if (outcome.status.ok()) return absl::OkStatus();
    return vaultcore::HintOf(outcome.status).empty()
               ? vaultcore::WithHint(outcome.status,
                                     "what was written stays; running it again adds the rest")
               : outcome.status;
  }

  // Before the upload, so that nothing is in Vault that a crash could lose here; it also finds out
  // that the file cannot be written while nothing has happened yet.
  Status SaveBackup(const Existing& existing,
                    const std::function<StatusOr<Plan>(const Existing&)>& make_plan) {
    if (options_.output_json.empty()) return absl::OkStatus();
    VC_ASSIGN_OR_RETURN(const Plan plan, make_plan(existing));
    return WriteBackup(existing, plan);
  }

  Status WriteBackup(const Existing& existing, const Plan& plan) {
    const Secret text = FormatBackup(Target(), existing, plan);
    return vaultcore::WriteFileDurably(options_.output_json, text.Reveal());
  }

  ReportContext Context(EntryStore& store, const Needs& needs) const {
    ReportContext context;
    context.command = options_.command;
    context.release = options_.release;
    context.chart = options_.chart;
    context.address = settings_.address.ToString();
    context.release_namespace = chart_.release_namespace();
    for (const SecretRef& ref : EntriesOf(needs)) {
      if (!store.HasCheckAndSet(ref.mount)) context.v1_mounts.insert(ref.mount);
    }
    return context;
  }

  Status Print(const Report& report) const {
    const std::string text = options_.format == Format::kJson
                                 ? FormatJson(report)
                                 : FormatTable(report, options_.verbose);
    return apps::WriteAll(STDOUT_FILENO, text, "standard output");
  }

  ExitCode ExitOf(const Report& report) const {
    const bool problems = !report.problems.empty() || report.Count(KeyState::kConflict) > 0 ||
                          report.Count(KeyState::kBlocked) > 0 ||
                          report.Count(KeyState::kNotWritten) > 0;
    if (problems) return ExitCode::kFailed;
    const bool to_write = report.Count(KeyState::kToWrite) > 0;
    if (options_.exit_code && to_write) return ExitCode::kMissing;
    if (options_.command == Command::kVerify && report.CountMissing() > 0) {
      return ExitCode::kMissing;
    }
    return ExitCode::kOk;
  }

  const Options& options_;
  const vaultcore::EnvironmentLookup& environment_;
  const std::shared_ptr<vaultcore::Cancellation> cancellation_;
  const vaultcore::Deadline deadline_;
  Console console_;
  Chart chart_;
  std::vector<DynamicDatabase> missing_roles_;
  std::set<SecretRef> created_;
  VaultSettings settings_;
  std::optional<vaultcore::SecretLayout> layout_;
};

}  // namespace

ExitCode Run(const Options& options, const vaultcore::EnvironmentLookup& environment,
             const std::shared_ptr<vaultcore::Cancellation>& cancellation) {
  const StatusOr<ExitCode> result = Session(options, environment, cancellation).Run();
  if (result.ok()) return *result;
  apps::PrintError(kProgram, result.status());
  return vaultcore::ExitCodeFor(result.status());
}

}  // namespace generator
