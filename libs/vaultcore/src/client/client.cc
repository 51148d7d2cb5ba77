#include "vaultcore/client/client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

#include "vaultcore/client/async_client.h"

namespace vaultcore {
namespace asio = boost::asio;

struct Client::Impl {
  Impl(ClientOptions options, std::unique_ptr<AuthMethod> auth)
      : vault(io.get_executor(), std::move(options), std::move(auth)) {}

  // Runs one operation to its end on this thread. Idle connections keep the context busy, so it is
  // driven step by step.
  template <typename T>
  T Run(asio::awaitable<T> operation) {
    std::optional<T> result;
    std::exception_ptr failure;
    asio::co_spawn(io, std::move(operation), [&](std::exception_ptr error, T value) {
      failure = error;
      result.emplace(std::move(value));
    });
    io.restart();
    while (!result && io.run_one() > 0) {
    }
    if (failure) std::rethrow_exception(failure);
    return *std::move(result);
  }

  asio::io_context io{1};
  AsyncClient vault;
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

StatusOr<Client> Client::Connect(ClientOptions options, std::unique_ptr<AuthMethod> auth) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(auth));
  VC_RETURN_IF_ERROR(impl->Run(impl->vault.Connect()));
  return Client(std::move(impl));
}

StatusOr<KvMount> Client::ResolveKvMount(const Mount& mount,
                                         const std::optional<SecretPath>& probe) {
  return impl_->Run(impl_->vault.ResolveKvMount(mount, probe));
}

StatusOr<KvEntry> Client::Read(const SecretRef& ref) { return impl_->Run(impl_->vault.Read(ref)); }

std::vector<StatusOr<KvEntry>> Client::ReadMany(const std::vector<SecretRef>& refs) {
  return impl_->Run(impl_->vault.ReadMany(refs));
}

StatusOr<uint64_t> Client::Write(const KvWrite& write) {
  return impl_->Run(impl_->vault.Write(write));
}

std::vector<StatusOr<uint64_t>> Client::WriteMany(
    const std::vector<KvWrite>& writes,
    const std::function<void(size_t, const StatusOr<uint64_t>&)>& on_done) {
  return impl_->Run(impl_->vault.WriteMany(writes, on_done));
}

Status Client::WriteCustomMetadata(const SecretRef& ref,
                                   const std::map<std::string, std::string>& custom_metadata) {
  return impl_->Run(impl_->vault.WriteCustomMetadata(ref, custom_metadata));
}

StatusOr<std::optional<KvEntryMetadata>> Client::ReadMetadata(const SecretRef& ref) {
  return impl_->Run(impl_->vault.ReadMetadata(ref));
}

StatusOr<std::vector<std::string>> Client::List(const SecretRef& folder) {
  return impl_->Run(impl_->vault.List(folder));
}

StatusOr<DatabaseCredentials> Client::ReadDatabaseCredentials(const Mount& mount,
                                                              std::string_view role) {
  return impl_->Run(impl_->vault.ReadDatabaseCredentials(mount, std::string(role)));
}

StatusOr<std::vector<std::vector<std::string>>> Client::Capabilities(
    const std::vector<std::string>& api_paths) {
  return impl_->Run(impl_->vault.Capabilities(api_paths));
}

StatusOr<AuthToken> Client::LookupSelf() { return impl_->Run(impl_->vault.LookupSelf()); }

StatusOr<HttpResponse> Client::Send(HttpRequest request) {
  return impl_->Run(impl_->vault.Send(std::move(request)));
}

std::vector<StatusOr<HttpResponse>> Client::SendMany(std::vector<HttpRequest> requests) {
  return impl_->Run(impl_->vault.SendMany(std::move(requests)));
}

void Client::Prepare(int requests) { impl_->vault.Prepare(requests); }
Status Client::Logout() { return impl_->Run(impl_->vault.Logout()); }
const AuthToken& Client::token() const { return impl_->vault.token(); }
void Client::Cancel() { impl_->vault.Cancel(); }

}  // namespace vaultcore
