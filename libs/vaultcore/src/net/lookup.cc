#include "net/lookup.h"

#include <fcntl.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/posix.h"
#include "net/origin.h"
#include "net/stream.h"

namespace vaultcore::net {
namespace {

Status LookupError(const std::string& host, int error, int error_number) {
  const std::string message = "cannot look up " + host + ": ";
  switch (error) {
    case EAI_NONAME:
#if defined(EAI_NODATA)
    case EAI_NODATA:
#endif
      return MakeError(ErrorKind::kUnavailable, message + "no such host",
                       "check the host in Vault's address (VAULT_ADDR, or the configuration)");
    case EAI_AGAIN:
      return MakeError(ErrorKind::kUnavailable, message + "the name server does not answer",
                       "check this machine's DNS (/etc/resolv.conf) and network");
    case EAI_SYSTEM:
      return MakeError(ErrorKind::kUnavailable, message + ErrnoClause(error_number));
    default:
      return MakeError(ErrorKind::kUnavailable, message + AsClause(gai_strerror(error)));
  }
}

}  // namespace

struct Lookup::Shared {
  std::string host;
  std::string port;
  posix::UniqueFd ready;   // read end
  posix::UniqueFd notify;  // write end
  std::mutex mutex;
  StatusOr<Addresses> result = absl::UnknownError("not looked up");

  void Run() {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int error = getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
    const int error_number = errno;
    Addresses addresses;
    for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
      boost::asio::ip::tcp::endpoint endpoint;
      if (info->ai_addrlen > endpoint.capacity()) continue;
      endpoint.resize(info->ai_addrlen);
      std::memcpy(endpoint.data(), info->ai_addr, info->ai_addrlen);
      addresses.push_back(endpoint);
    }
    if (found != nullptr) freeaddrinfo(found);
    {
      const std::lock_guard<std::mutex> lock(mutex);
      if (error != 0) {
        result = LookupError(host, error, error_number);
      } else if (addresses.empty()) {
        result = LookupError(host, EAI_NONAME, 0);
      } else {
        result = std::move(addresses);
      }
    }
    // The reader may have gone: the pipe's read end is kept open by this object, so no SIGPIPE.
    const char byte = 0;
    static_cast<void>(posix::Retry([&] { return write(notify.get(), &byte, 1); }));
  }
};

Lookup::Lookup(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
Lookup::~Lookup() = default;

StatusOr<std::unique_ptr<Lookup>> Lookup::Start(const std::string& host, uint16_t port) {
  auto shared = std::make_shared<Shared>();
  shared->host = host;
  shared->port = std::to_string(port);
  int fds[2];
  if (pipe(fds) != 0) return LookupError(host, EAI_SYSTEM, errno);
  shared->ready = posix::UniqueFd(fds[0]);
  shared->notify = posix::UniqueFd(fds[1]);
  for (const int fd : fds) fcntl(fd, F_SETFD, FD_CLOEXEC);
  try {
    std::thread([shared] { shared->Run(); }).detach();
  } catch (const std::system_error& error) {
    return LookupError(host, EAI_SYSTEM, error.code().value());
  }
  return std::unique_ptr<Lookup>(new Lookup(std::move(shared)));
}

int Lookup::ready_fd() const { return shared_->ready.get(); }

StatusOr<Addresses> Lookup::Take() {
  const std::lock_guard<std::mutex> lock(shared_->mutex);
  return std::move(shared_->result);
}

}  // namespace vaultcore::net
