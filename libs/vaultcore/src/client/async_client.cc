#include "vaultcore/client/async_client.h"

#include <absl/strings/str_format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <utility>

#include "client/concurrently.h"
#include "client/exchanger.h"
#include "vaultcore/api/errors.h"

namespace vaultcore {
namespace asio = boost::asio;
using internal::Exchanged;
using internal::ForEachConcurrently;

namespace {

// A write that lost its answer, or a race, is looked at again this often.
constexpr int kMaxWriteRounds = 4;

bool SameData(const KvData& a, const KvData& b) {
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first || !(i->second == j->second)) return false;
  }
  return true;
}

Status NotKvError(const Mount& mount, const MountInfo& info) {
  return MakeError(ErrorKind::kRejected,
                   absl::StrFormat("%s is a mount of type %s, not a KV secrets engine",
                                   mount.text(), Printable(info.type, 40)),
                   "name a KV mount as the engine");
}

// A KV v2 mount that is asked in v1's form says so in a warning of its 404.
bool SaysVersionedKv(const HttpResponse& response) {
  if (response.status != 404) return false;
  auto body = Json::Parse(response.body.Reveal());
  if (!body.ok()) return false;
  for (const std::string& warning : ParseWarnings(*body)) {
    if (warning.find("versioned K/V") != std::string::npos) return true;
  }
  return false;
}

// Only a KV v2 answer carries a version in its metadata, be the entry there or deleted.
bool ProvesV2(const HttpResponse& response) {
  if (response.status != 200 && response.status != 404) return false;
  auto body = Json::Parse(response.body.Reveal());
  return body.ok() && (*body)["data"]["metadata"]["version"].type() == Json::Type::kNumber &&
         (*body)["data"].Contains("data");
}

// Why an entry cannot be read whose mount the token may not ask about: what the mount itself
// answered to the read where that tells more, else `why`.
Status NoAnswerFromMount(const KvMount& as_v2, const SecretPath& path,
                         const HttpResponse& v2_answer, const Status& why) {
  const Status read = ParseKvRead(as_v2, path, v2_answer).status();
  if (read.ok()) return why;
  if (KindOf(read) != ErrorKind::kPermission) return read;
  return WithHint(read, HintOf(read) +
                            " (on KV version 1 without \"data/\"); or there is no mount " +
                            as_v2.mount.text() + ", which Vault answers alike");
}

}  // namespace

struct AsyncClient::Impl {
  Impl(asio::any_io_executor executor_in, ClientOptions options_in,
       std::unique_ptr<AuthMethod> auth_in, TransportFactory make_transport, Sleeper sleeper)
      : executor(executor_in),
        options(std::move(options_in)),
        auth(std::move(auth_in)),
        exchanger(executor_in, options, std::move(make_transport), std::move(sleeper)) {}

  asio::awaitable<Status> Login();
  asio::awaitable<Status> LoginAgain(uint64_t seen_login);
  bool TokenIsDead(const HttpResponse& response) const;
  asio::awaitable<Exchanged> SendAs(const HttpRequest& request);
  asio::awaitable<StatusOr<HttpResponse>> Send(HttpRequest request);
  asio::awaitable<StatusOr<KvEntry>> ReadOn(KvMount mount, SecretPath path);
  asio::awaitable<StatusOr<KvMount>> Resolve(Mount mount, std::optional<SecretPath> probe);
  asio::awaitable<StatusOr<KvVersion>> VersionFromAnswers(Mount mount, SecretPath probe,
                                                          Status why);
  asio::awaitable<void> ReadSpeculatively(Mount mount, const std::vector<SecretRef>& refs,
                                          const std::vector<size_t>& indices,
                                          std::vector<StatusOr<KvEntry>>& results);
  asio::awaitable<StatusOr<uint64_t>> WriteOn(KvMount mount, const KvWrite& write);
  void PassWarnings(const std::vector<std::string>& warnings) const;

  asio::any_io_executor executor;
  ClientOptions options;
  std::unique_ptr<AuthMethod> auth;
  internal::Exchanger exchanger;
  AuthToken token;
  SteadyTime token_since{};
  uint64_t logins = 0;
  bool logging_in = false;
  std::map<Mount, KvVersion> kv_versions;
};

void AsyncClient::Impl::PassWarnings(const std::vector<std::string>& warnings) const {
  if (!options.on_warning) return;
  for (const std::string& warning : warnings) options.on_warning(warning);
}

asio::awaitable<Status> AsyncClient::Impl::Login() {
  const vaultcore::Exchanger exchange =
      [this](HttpRequest request) -> asio::awaitable<StatusOr<HttpResponse>> {
    Exchanged done = co_await exchanger.Send(std::move(request), nullptr);
    co_return std::move(done.result);
  };
  auto login = co_await auth->Login(exchange);
  if (!login.ok()) co_return login.status();
  token = *std::move(login);
  token_since = options.now();
  ++logins;
  co_return absl::OkStatus();
}

// Several requests may find out at the same time that the token has expired: one of them logs in,
// the others wait.
asio::awaitable<Status> AsyncClient::Impl::LoginAgain(uint64_t seen_login) {
  while (logging_in) {
    asio::steady_timer timer(executor, Milliseconds(5));
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (logins != seen_login) co_return absl::OkStatus();
  logging_in = true;
  Status status = co_await Login();
  logging_in = false;
  co_return status;
}

bool AsyncClient::Impl::TokenIsDead(const HttpResponse& response) const {
  if (response.status != 403 && response.status != 401) return false;
  if (ServerErrors(response).find("invalid token") != std::string::npos) return true;
  return token.ttl.count() > 0 && options.now() - token_since >= token.ttl;
}

asio::awaitable<Exchanged> AsyncClient::Impl::SendAs(const HttpRequest& request) {
  const uint64_t login = logins;
  HttpRequest first = request.Clone();
  Exchanged done = co_await exchanger.Send(std::move(first), &token.token);
  if (!done.result.ok() || !auth->CanRelogin() || !TokenIsDead(*done.result)) co_return done;
  Status again = co_await LoginAgain(login);
  if (!again.ok()) {
    done.result = Annotate(again, "the token has expired, and logging in again failed");
    co_return done;
  }
  HttpRequest second = request.Clone();
  Exchanged repeated = co_await exchanger.Send(std::move(second), &token.token);
  repeated.maybe_done_before = repeated.maybe_done_before || done.maybe_done_before;
  co_return repeated;
}

asio::awaitable<StatusOr<HttpResponse>> AsyncClient::Impl::Send(HttpRequest request) {
  Exchanged done = co_await SendAs(request);
  co_return std::move(done.result);
}

asio::awaitable<StatusOr<KvEntry>> AsyncClient::Impl::ReadOn(KvMount mount, SecretPath path) {
  HttpRequest request = BuildKvRead(mount, path);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await Send(std::move(request)));
  auto entry = ParseKvRead(mount, path, response);
  if (entry.ok()) PassWarnings(entry->warnings);
  co_return entry;
}

asio::awaitable<StatusOr<KvVersion>> AsyncClient::Impl::VersionFromAnswers(Mount mount,
                                                                           SecretPath probe,
                                                                           Status why) {
  KvMount as_v2{mount, KvVersion::kV2};
  HttpRequest v2_read = BuildKvRead(as_v2, probe);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse v2_answer, co_await Send(std::move(v2_read)));
  if (ProvesV2(v2_answer)) co_return KvVersion::kV2;
  KvMount as_v1{mount, KvVersion::kV1};
  HttpRequest v1_read = BuildKvRead(as_v1, probe);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse v1_answer, co_await Send(std::move(v1_read)));
  if (v1_answer.status == 200) co_return KvVersion::kV1;
  if (SaysVersionedKv(v1_answer)) co_return KvVersion::kV2;
  co_return NoAnswerFromMount(as_v2, probe, v2_answer, why);
}

asio::awaitable<StatusOr<KvMount>> AsyncClient::Impl::Resolve(Mount mount,
                                                              std::optional<SecretPath> probe) {
  if (auto known = kv_versions.find(mount); known != kv_versions.end()) {
    KvMount resolved{mount, known->second};
    co_return resolved;
  }
  HttpRequest lookup = BuildMountLookup(mount.text());
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await Send(std::move(lookup)));
  auto info = ParseMountLookup(mount.text(), response);
  if (!info.ok()) {
    if (response.status != 403 || !probe) co_return info.status();
    VC_CO_ASSIGN_OR_RETURN(KvVersion version,
                           co_await VersionFromAnswers(mount, *probe, info.status()));
    kv_versions.insert_or_assign(mount, version);
    KvMount resolved{mount, version};
    co_return resolved;
  }
  if (!info->kv_version) {
    co_return NotKvError(mount, *info);
  }
  kv_versions.insert_or_assign(mount, *info->kv_version);
  KvMount resolved{mount, *info->kv_version};
  co_return resolved;
}

// Reads the entries of one mount whose version is not known yet: the question for it goes out
// together with the reads in v2's form, which saves a round trip in the common case. On a v1 mount
// the reads are repeated in v1's form.
asio::awaitable<void> AsyncClient::Impl::ReadSpeculatively(
    Mount mount, const std::vector<SecretRef>& refs, const std::vector<size_t>& indices,
    std::vector<StatusOr<KvEntry>>& results) {
  const size_t questions = indices.size() + 1;
  std::vector<StatusOr<HttpResponse>> answers(questions);
  const KvMount as_v2{mount, KvVersion::kV2};
  const std::function<asio::awaitable<void>(size_t)> ask =
      [this, &answers, &as_v2, &refs, &indices](size_t i) -> asio::awaitable<void> {
    HttpRequest request = i == 0 ? BuildMountLookup(as_v2.mount.text())
                                 : BuildKvRead(as_v2, refs[indices[i - 1]].path);
    answers[i] = co_await Send(std::move(request));
  };
  co_await ForEachConcurrently(executor, questions, static_cast<size_t>(options.concurrency), ask);

  std::optional<KvVersion> version;
  Status why = answers[0].status();
  if (answers[0].ok()) {
    auto info = ParseMountLookup(mount.text(), *answers[0]);
    if (info.ok()) {
      version = info->kv_version;
      if (!version) {
        why = NotKvError(mount, *info);
      }
    } else {
      why = info.status();
    }
  }
  for (size_t i = 1; !version && i < questions; ++i) {
    if (answers[i].ok() && ProvesV2(*answers[i])) version = KvVersion::kV2;
  }
  const bool lookup_forbidden = answers[0].ok() && answers[0]->status == 403;
  if (!version && lookup_forbidden) {
    auto decided = co_await VersionFromAnswers(mount, refs[indices[0]].path, why);
    if (decided.ok()) version = *decided;
  }
  if (!version) {
    for (size_t i = 1; i < questions; ++i) {
      const size_t index = indices[i - 1];
      results[index] = lookup_forbidden && answers[i].ok()
                           ? NoAnswerFromMount(as_v2, refs[index].path, *answers[i], why)
                           : why;
    }
    co_return;
  }
  kv_versions.insert_or_assign(mount, *version);
  if (*version == KvVersion::kV2) {
    for (size_t i = 1; i < questions; ++i) {
      const size_t index = indices[i - 1];
      if (!answers[i].ok()) {
        results[index] = answers[i].status();
        continue;
      }
      results[index] = ParseKvRead(as_v2, refs[index].path, *answers[i]);
      if (results[index].ok()) PassWarnings(results[index]->warnings);
    }
    co_return;
  }
  const KvMount as_v1{mount, KvVersion::kV1};
  const std::function<asio::awaitable<void>(size_t)> read_again =
      [this, &as_v1, &refs, &indices, &results](size_t i) -> asio::awaitable<void> {
    results[indices[i]] = co_await ReadOn(as_v1, refs[indices[i]].path);
  };
  co_await ForEachConcurrently(executor, indices.size(), static_cast<size_t>(options.concurrency),
                               read_again);
}

// A write whose answer was lost may have happened. Reading back tells: the same data under the next
// version is this write, an unchanged version means it did not happen and may be repeated, anything
// else is somebody else's.
asio::awaitable<StatusOr<uint64_t>> AsyncClient::Impl::WriteOn(KvMount mount,
                                                               const KvWrite& write) {
  VC_CO_RETURN_IF_ERROR(CheckKvData(mount, write.data));
  const bool versioned = mount.version == KvVersion::kV2;
  for (int round = 1;; ++round) {
    HttpRequest request = BuildKvWrite(mount, write.ref.path, write.data, write.cas);
    // With check-and-set, and on v1, writing the same twice has the effect of writing it once.
    request.set_idempotent(!versioned || write.cas.has_value());
    Exchanged done = co_await SendAs(request);
    StatusOr<uint64_t> result = done.result.ok() ? ParseKvWrite(mount, write.ref.path, *done.result)
                                                 : StatusOr<uint64_t>(done.result.status());
    if (result.ok() || !versioned || exchanger.cancelled()) co_return result;
    const bool lost_race = KindOf(result.status()) == ErrorKind::kConflict;
    const bool in_doubt = lost_race ? done.maybe_done_before : done.maybe_done;
    if (!in_doubt) co_return result;

    auto now = co_await ReadOn(mount, write.ref.path);
    if (!now.ok()) co_return result;
    const bool is_ours = now->present() && SameData(now->data, write.data) &&
                         (!write.cas || now->version == write.cas->version + 1);
    if (is_ours) co_return now->version;
    const bool untouched = write.cas && now->version == write.cas->version;
    if (!untouched || round == kMaxWriteRounds) co_return result;
  }
}

AsyncClient::AsyncClient(asio::any_io_executor executor, ClientOptions options,
                         std::unique_ptr<AuthMethod> auth, TransportFactory make_transport,
                         Sleeper sleeper)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(options), std::move(auth),
                                   std::move(make_transport), std::move(sleeper))) {}
AsyncClient::~AsyncClient() = default;
AsyncClient::AsyncClient(AsyncClient&&) noexcept = default;
AsyncClient& AsyncClient::operator=(AsyncClient&&) noexcept = default;

asio::awaitable<Status> AsyncClient::Connect() {
  VC_CO_RETURN_IF_ERROR(impl_->exchanger.Open());
  impl_->exchanger.Prepare(impl_->options.expected_reads);
  Status status = co_await impl_->Login();
  co_return status;
}

asio::awaitable<StatusOr<KvMount>> AsyncClient::ResolveKvMount(Mount mount,
                                                               std::optional<SecretPath> probe) {
  return impl_->Resolve(std::move(mount), std::move(probe));
}

asio::awaitable<StatusOr<KvEntry>> AsyncClient::Read(SecretRef ref) {
  VC_CO_ASSIGN_OR_RETURN(KvMount mount, co_await impl_->Resolve(ref.mount, ref.path));
  auto entry = co_await impl_->ReadOn(std::move(mount), std::move(ref.path));
  co_return entry;
}

asio::awaitable<std::vector<StatusOr<KvEntry>>> AsyncClient::ReadMany(std::vector<SecretRef> refs) {
  std::vector<StatusOr<KvEntry>> results;
  results.reserve(refs.size());
  for (size_t i = 0; i < refs.size(); ++i) results.emplace_back(absl::UnknownError("not read"));
  std::map<Mount, std::vector<size_t>> unknown;
  std::vector<size_t> known;
  for (size_t i = 0; i < refs.size(); ++i) {
    if (impl_->kv_versions.contains(refs[i].mount)) {
      known.push_back(i);
    } else {
      unknown[refs[i].mount].push_back(i);
    }
  }
  std::vector<const Mount*> mounts;
  for (const auto& [mount, indices] : unknown) mounts.push_back(&mount);
  const std::function<asio::awaitable<void>(size_t)> read_mount =
      [&](size_t i) -> asio::awaitable<void> {
    co_await impl_->ReadSpeculatively(*mounts[i], refs, unknown.at(*mounts[i]), results);
  };
  co_await ForEachConcurrently(impl_->executor, mounts.size(), mounts.size(), read_mount);

  const std::function<asio::awaitable<void>(size_t)> read_known =
      [&](size_t i) -> asio::awaitable<void> {
    const SecretRef& ref = refs[known[i]];
    KvMount mount{ref.mount, impl_->kv_versions.at(ref.mount)};
    results[known[i]] = co_await impl_->ReadOn(std::move(mount), ref.path);
  };
  co_await ForEachConcurrently(impl_->executor, known.size(),
                               static_cast<size_t>(impl_->options.concurrency), read_known);
  co_return results;
}

asio::awaitable<StatusOr<uint64_t>> AsyncClient::Write(const KvWrite& write) {
  VC_CO_ASSIGN_OR_RETURN(KvMount mount, co_await impl_->Resolve(write.ref.mount, write.ref.path));
  auto version = co_await impl_->WriteOn(std::move(mount), write);
  co_return version;
}

asio::awaitable<std::vector<StatusOr<uint64_t>>> AsyncClient::WriteMany(
    const std::vector<KvWrite>& writes,
    std::function<void(size_t, const StatusOr<uint64_t>&)> on_done) {
  std::vector<StatusOr<uint64_t>> results(
      writes.size(), StatusOr<uint64_t>(MakeError(ErrorKind::kCancelled, "not begun")));
  const std::function<asio::awaitable<void>(size_t)> write_one =
      [&](size_t i) -> asio::awaitable<void> {
    if (impl_->exchanger.cancelled()) co_return;
    results[i] = co_await Write(writes[i]);
    if (on_done) on_done(i, results[i]);
  };
  co_await ForEachConcurrently(impl_->executor, writes.size(),
                               static_cast<size_t>(impl_->options.concurrency), write_one);
  co_return results;
}

asio::awaitable<Status> AsyncClient::WriteCustomMetadata(
    SecretRef ref, std::map<std::string, std::string> custom_metadata) {
  VC_CO_ASSIGN_OR_RETURN(KvMount mount, co_await impl_->Resolve(ref.mount, ref.path));
  if (mount.version == KvVersion::kV1) co_return absl::OkStatus();
  HttpRequest request = BuildKvWriteMetadata(mount, ref.path, custom_metadata);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await impl_->Send(std::move(request)));
  co_return ParseKvWriteMetadata(mount, ref.path, response);
}

asio::awaitable<StatusOr<std::optional<KvEntryMetadata>>> AsyncClient::ReadMetadata(SecretRef ref) {
  VC_CO_ASSIGN_OR_RETURN(KvMount mount, co_await impl_->Resolve(ref.mount, ref.path));
  std::optional<KvEntryMetadata> none;
  if (mount.version == KvVersion::kV1) co_return none;
  HttpRequest request = BuildKvReadMetadata(mount, ref.path);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await impl_->Send(std::move(request)));
  co_return ParseKvReadMetadata(mount, ref.path, response);
}

asio::awaitable<StatusOr<std::vector<std::string>>> AsyncClient::List(SecretRef folder) {
  VC_CO_ASSIGN_OR_RETURN(KvMount mount, co_await impl_->Resolve(folder.mount, folder.path));
  HttpRequest request = BuildKvList(mount, folder.path);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await impl_->Send(std::move(request)));
  co_return ParseKvList(mount, folder.path, response);
}

asio::awaitable<StatusOr<DatabaseCredentials>> AsyncClient::ReadDatabaseCredentials(
    Mount mount, std::string role) {
  HttpRequest request = BuildDatabaseCredentials(mount, role);
  // A GET, but one that creates a database user each time.
  request.set_idempotent(false);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await impl_->Send(std::move(request)));
  auto credentials = ParseDatabaseCredentials(mount, role, response);
  if (credentials.ok()) impl_->PassWarnings(credentials->warnings);
  co_return credentials;
}

asio::awaitable<StatusOr<std::vector<std::vector<std::string>>>> AsyncClient::Capabilities(
    std::vector<std::string> api_paths) {
  HttpRequest request = BuildCapabilitiesSelf(api_paths);
  request.set_idempotent(true);
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await impl_->Send(std::move(request)));
  co_return ParseCapabilitiesSelf(api_paths, response);
}

asio::awaitable<StatusOr<AuthToken>> AsyncClient::LookupSelf() {
  HttpRequest request = BuildTokenLookupSelf();
  VC_CO_ASSIGN_OR_RETURN(HttpResponse response, co_await impl_->Send(std::move(request)));
  co_return ParseTokenLookup(response);
}

asio::awaitable<StatusOr<HttpResponse>> AsyncClient::Send(HttpRequest request) {
  return impl_->Send(std::move(request));
}

asio::awaitable<std::vector<StatusOr<HttpResponse>>> AsyncClient::SendMany(
    std::vector<HttpRequest> requests) {
  std::vector<StatusOr<HttpResponse>> results;
  results.reserve(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    results.emplace_back(MakeError(ErrorKind::kCancelled, "not sent"));
  }
  const std::function<asio::awaitable<void>(size_t)> send_one =
      [this, &requests, &results](size_t i) -> asio::awaitable<void> {
    results[i] = co_await Send(std::move(requests[i]));
  };
  co_await ForEachConcurrently(impl_->executor, requests.size(),
                               static_cast<size_t>(impl_->options.concurrency), send_one);
  co_return results;
}

asio::awaitable<Status> AsyncClient::Logout() {
  if (!impl_->token.owned || impl_->token.token.empty()) co_return absl::OkStatus();
  const Deadline deadline = impl_->options.now() + std::chrono::seconds(2);
  HttpRequest request = BuildTokenRevokeSelf();
  auto response =
      co_await impl_->exchanger.SendOnceApart(std::move(request), &impl_->token.token, deadline);
  if (!response.ok()) co_return response.status();
  Status revoked = ParseEmpty("revoke the own token", *response);
  if (revoked.ok()) impl_->token = AuthToken();
  co_return revoked;
}

void AsyncClient::Prepare(int requests) { impl_->exchanger.Prepare(requests); }
void AsyncClient::Cancel() { impl_->options.cancellation->Cancel(); }
const AuthToken& AsyncClient::token() const { return impl_->token; }

}  // namespace vaultcore
