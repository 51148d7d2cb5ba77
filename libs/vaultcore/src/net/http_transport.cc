#include <utility>

#include "net/origin.h"
#include "net/pool.h"
#include "net/tls_context.h"
#include "vaultcore/net/transport.h"

namespace vaultcore {
namespace {

namespace asio = boost::asio;

class HttpTransport final : public Transport {
 public:
  explicit HttpTransport(std::shared_ptr<net::Pool> pool) : pool_(std::move(pool)) {}
  ~HttpTransport() override { pool_->Cancel(); }

  asio::awaitable<Exchange> RoundTrip(const HttpRequest& request, Deadline deadline) override {
    return net::Pool::RoundTrip(pool_, request, deadline);
  }
  void Prepare(int requests) override { pool_->Prepare(requests); }
  void Cancel() override { pool_->Cancel(); }

 private:
  const std::shared_ptr<net::Pool> pool_;
};

}  // namespace

StatusOr<std::unique_ptr<Transport>> MakeHttpTransport(asio::any_io_executor executor,
                                                       ConnectionSettings settings) {
  if (settings.proxy && settings.proxy->tls) {
    return MakeError(ErrorKind::kUsage,
                     "the proxy " + settings.proxy->ToString() +
                         " is to be spoken to over TLS, "
                         "which is not supported",
                     "use an http:// address for the proxy: requests to an https:// Vault are "
                     "still encrypted from end to end");
  }
  std::shared_ptr<net::TlsContext> tls;
  if (settings.address.tls) {
    VC_ASSIGN_OR_RETURN(tls, net::TlsContext::Make(settings.tls, net::CertificateName(settings)));
  }
  auto pool = std::make_shared<net::Pool>(std::move(executor), std::move(settings), std::move(tls));
  return std::make_unique<HttpTransport>(std::move(pool));
}

}  // namespace vaultcore
