// Client: log in, read, write if absent, many at once. Start here to embed the library.
//
//   StatusOr<Client> vault = Client::Connect(std::move(options), MakeKubernetesAuth({...}, ...));
//   StatusOr<KvEntry> entry = vault->Read(*SecretLayout...);
//
// Client blocks and needs no Asio; AsyncClient (client/async_client.h) is the same for programs
// with an io_context. Every operation retries as api/retry.h says, within the options' deadline,
// logs in again once when its token has expired, and never prints.
//
// Thread-safety: one thread at a time, except Cancel(), which any thread may call.

#ifndef VAULTCORE_CLIENT_CLIENT_H_
#define VAULTCORE_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vaultcore/api/kv.h"
#include "vaultcore/api/retry.h"
#include "vaultcore/api/sys.h"
#include "vaultcore/auth/auth_method.h"
#include "vaultcore/base/cancel.h"
#include "vaultcore/base/clock.h"
#include "vaultcore/model/connection.h"
#include "vaultcore/model/path.h"

namespace vaultcore {

// One try of one request, told to the observer when it has ended: for verbose output and progress.
// Holds no body and no header.
struct RequestEvent {
  Method method = Method::kGet;
  std::string api_path;
  int attempt = 0;                 // 0 for the first try
  std::optional<int> http_status;  // nullopt: no answer
  std::string error;               // for no answer: why
  Milliseconds duration{0};
  std::optional<Milliseconds> retry_in;  // set: it will be tried again after this wait
};

struct ClientOptions {
  ConnectionSettings connection;
  RetryPolicy retry;
  // All of the client's work together: Connect, and every operation, end by then with kTimeout,
  // unless an earlier failure is clearer (that failure is then reported, with the deadline named).
  Deadline deadline = kNoDeadline;
  int concurrency = 16;    // requests under way at once in ReadMany and WriteMany
  int expected_reads = 0;  // as Prepare(), but from the start: dials while the login is under way
  std::function<void(const RequestEvent&)> observer;  // called on the client's thread; may be empty
  std::function<void(std::string_view)> on_warning;   // Vault's own warnings; may be empty
  Jitter jitter = SystemJitter();
  std::function<SteadyTime()> now = std::chrono::steady_clock::now;
  // Ends everything with kCancelled; may be thrown before or during Connect. Never null.
  std::shared_ptr<Cancellation> cancellation = std::make_shared<Cancellation>();
};

// One entry to write.
struct KvWrite {
  SecretRef ref;
  KvData data;
  std::optional<CheckAndSet> cas;
};

class Client {
 public:
  // Makes the transport and logs in. Errors: as Transport, AuthMethod.
  static StatusOr<Client> Connect(ClientOptions options, std::unique_ptr<AuthMethod> auth);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();  // closes the connections; revokes nothing (see Logout)

  // The version of a KV mount, asked once per mount (sys/internal/ui/mounts) and remembered. Where
  // the token may not ask (some policies deny it), the answers of the mount itself to reads of
  // `probe`, an entry that the token may read, decide; it is never guessed from a failure that
  // could mean something else. Errors: kPermission (no such mount, or no policy touches it: Vault
  // does not tell the two apart), kRejected (not a KV mount).
  StatusOr<KvMount> ResolveKvMount(const Mount& mount, const std::optional<SecretPath>& probe = {});

  // One entry. Absent, deleted and destroyed entries are results here, not errors: see
  // KvEntry::State.
  StatusOr<KvEntry> Read(const SecretRef& ref);
  // All entries, concurrently; results in input order, each with its own error.
  std::vector<StatusOr<KvEntry>> ReadMany(const std::vector<SecretRef>& refs);

  // Writes an entry whole; returns the new version (0 on KV v1). A lost check-and-set is kConflict.
  // A write whose answer was lost is found out by reading back: it is not written twice.
  StatusOr<uint64_t> Write(const KvWrite& write);
  // All entries, concurrently, results in input order. After `stop_on_error` no new write begins;
  // those not begun are kCancelled. `on_done` (may be empty) is called after each with its index
  // and result.
  std::vector<StatusOr<uint64_t>> WriteMany(
      const std::vector<KvWrite>& writes,
      const std::function<void(size_t, const StatusOr<uint64_t>&)>& on_done = {});

  // KV v2: replaces an entry's custom_metadata; nothing on v1. Errors: kPermission where the policy
  // does not allow it.
  Status WriteCustomMetadata(const SecretRef& ref,
                             const std::map<std::string, std::string>& custom_metadata);
  // KV v2: the entry's metadata; nullopt when it was never written, and on v1.
  StatusOr<std::optional<KvEntryMetadata>> ReadMetadata(const SecretRef& ref);

  // Names directly below a folder; absent: empty.
  StatusOr<std::vector<std::string>> List(const SecretRef& folder);

  StatusOr<DatabaseCredentials> ReadDatabaseCredentials(const Mount& mount, std::string_view role);
  StatusOr<std::vector<std::vector<std::string>>> Capabilities(
      const std::vector<std::string>& api_paths);
  StatusOr<AuthToken> LookupSelf();

  // Any other request, with token, retries and redirects; the answer as it is.
  StatusOr<HttpResponse> Send(HttpRequest request);
  // The same for several, concurrently; results in input order, each with its own error.
  std::vector<StatusOr<HttpResponse>> SendMany(std::vector<HttpRequest> requests);

  // Hints that about `requests` reads will follow at once.
  void Prepare(int requests);

  // Revokes the token if this client made it (AuthToken::owned); best effort within two seconds,
  // also after Cancel or the deadline.
  Status Logout();
  const AuthToken& token() const;

  // Ends what is under way with kCancelled. Any thread.
  void Cancel();

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_CLIENT_CLIENT_H_
