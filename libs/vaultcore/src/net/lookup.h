// Host name lookup that can be given up. getaddrinfo() cannot be interrupted and an io_context
// waits for Asio's own resolver thread when it is destroyed, so that an unreachable name server
// would hold up a program that has long been out of time. Here the thread is left behind.

#ifndef VAULTCORE_NET_LOOKUP_H_
#define VAULTCORE_NET_LOOKUP_H_

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vaultcore/base/status.h"

namespace vaultcore::net {

using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;

class Lookup {
 public:
  // Starts a thread that looks `host` up.
  static StatusOr<std::unique_ptr<Lookup>> Start(const std::string& host, uint16_t port);
  ~Lookup();  // does not wait for the thread
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  // Becomes readable when Take() may be called. Owned by this object.
  int ready_fd() const;
  // The addresses, at least one. Errors: kUnavailable.
  StatusOr<Addresses> Take();

 private:
  struct Shared;
  explicit Lookup(std::shared_ptr<Shared> shared);
  std::shared_ptr<Shared> shared_;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_LOOKUP_H_
