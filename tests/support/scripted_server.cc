#include "support/scripted_server.h"

#include <absl/strings/ascii.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace vaultcore {
namespace {

template <typename T, typename Read>
T* ReadPem(const std::string& text, Read read) {
  BIO* bio = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  T* object = read(bio, nullptr, nullptr, nullptr);
  BIO_free(bio);
  if (object == nullptr) throw std::runtime_error("bad PEM in a test");
  return object;
}

int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned int in_size, void* http2) {
  static constexpr unsigned char kBoth[] = "\x02h2\x08http/1.1";
  const unsigned char* offered = http2 != nullptr ? kBoth : kBoth + 3;
  const unsigned int size =
      static_cast<unsigned int>(sizeof(kBoth) - 1) - static_cast<unsigned int>(offered - kBoth);
  unsigned char* chosen = nullptr;
  const int result = SSL_select_next_proto(&chosen, out_size, offered, size, in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

SSL_CTX* MakeContext(const ScriptedServer::Tls& tls) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  X509* certificate = ReadPem<X509>(tls.identity.certificate, PEM_read_bio_X509);
  EVP_PKEY* key = ReadPem<EVP_PKEY>(tls.identity.key, PEM_read_bio_PrivateKey);
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!tls.client_authority.empty()) {
    X509* authority = ReadPem<X509>(tls.client_authority, PEM_read_bio_X509);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  static constexpr unsigned char kSessionContext[] = "test";
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof(kSessionContext));
  static char yes;
  SSL_CTX_set_alpn_select_cb(context, ChooseProtocol, tls.http2 ? &yes : nullptr);
  if (tls.max_version != 0) {
    // Debian's security level refuses what this is about.
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context, tls.max_version);
  }
  return context;
}

}  // namespace

ServerPeer::~ServerPeer() {
  SSL_free(ssl_);
  if (fd_ >= 0) close(fd_);
}

bool ServerPeer::Accept(SSL_CTX* context) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  const bool accepted = SSL_accept(ssl_) == 1;
  ERR_clear_error();
  return accepted;
}

bool ServerPeer::chose_http2() const {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  if (ssl_ != nullptr) SSL_get0_alpn_selected(ssl_, &name, &size);
  return size == 2;
}

std::string ServerPeer::server_name() const {
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

bool ServerPeer::resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

std::string ServerPeer::ReadSome() {
  char data[16384];
  const auto count = ssl_ != nullptr ? SSL_read(ssl_, data, sizeof(data))
                                     : static_cast<int>(recv(fd_, data, sizeof(data), 0));
  ERR_clear_error();
  return count > 0 ? std::string(data, static_cast<size_t>(count)) : std::string();
}

bool ServerPeer::HasMore(int wait_ms) {
  if (!buffer_.empty() || (ssl_ != nullptr && SSL_pending(ssl_) > 0)) return true;
  pollfd ready{fd_, POLLIN, 0};
  return poll(&ready, 1, wait_ms) > 0;
}

std::optional<SeenRequest> ServerPeer::ReadRequest() {
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    const std::string more = ReadSome();
    if (more.empty()) return std::nullopt;
    buffer_ += more;
  }
  SeenRequest request;
  std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  size_t line_end = head.find("\r\n");
  request.line = head.substr(0, line_end);
  head.erase(0, line_end + 2);
  while ((line_end = head.find("\r\n")) != std::string::npos) {
    const size_t colon = head.find(": ");
    const std::string name = absl::AsciiStrToLower(head.substr(0, colon));
    request.headers[name] = head.substr(colon + 2, line_end - colon - 2);
    head.erase(0, line_end + 2);
  }
  const auto length = request.headers.find("content-length");
  const size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
  while (buffer_.size() < size) {
    const std::string more = ReadSome();
    if (more.empty()) return std::nullopt;
    buffer_ += more;
  }
  request.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return request;
}

bool ServerPeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ssl_ != nullptr
                           ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                           : static_cast<int>(send(fd_, bytes.data(), bytes.size(), 0));
    ERR_clear_error();
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

bool ServerPeer::Answer(int status, std::string_view body, std::string_view more_headers) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  answer.append(more_headers);
  answer += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  answer.append(body);
  return Send(answer);
}

void ServerPeer::CarryTo(uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool open = connect(other, reinterpret_cast<sockaddr*>(&name), sizeof(name)) == 0;
  while (open) {
    pollfd ready[2] = {{fd_, POLLIN, 0}, {other, POLLIN, 0}};
    poll(ready, 2, -1);
    for (int i = 0; i < 2 && open; ++i) {
      if (ready[i].revents == 0) continue;
      char data[16384];
      const ssize_t count = recv(ready[i].fd, data, sizeof(data), 0);
      open = count > 0 && send(ready[1 - i].fd, data, static_cast<size_t>(count), 0) == count;
    }
  }
  close(other);
}

void ServerPeer::Hang() {
  while (!ReadSome().empty()) {
  }
}

void ServerPeer::Close() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  ERR_clear_error();
  CloseRudely();
}

void ServerPeer::CloseRudely() { shutdown(fd_, SHUT_RDWR); }

void ServerPeer::Reset() {
  const linger now{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  // The close() of a thread's own socket: nobody else touches it while the script runs, but for
  // shutdown(), so the descriptor itself is kept by a harmless one.
  const int other = socket(AF_INET, SOCK_STREAM, 0);
  dup2(other, fd_);
  close(other);
}

ScriptedServer::ScriptedServer(Script script, std::optional<Tls> tls, std::string address)
    : script_(std::move(script)) {
  // Writing to a client that has gone is part of many scripts.
  signal(SIGPIPE, SIG_IGN);
  if (tls) {
    context_ = MakeContext(*tls);
    shake_hands_ = tls->shake_hands;
  }
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  const bool is_v6 = inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1;
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  if (!is_v6) inet_pton(AF_INET, address.c_str(), &v4.sin_addr);
  auto* name = is_v6 ? reinterpret_cast<sockaddr*>(&v6) : reinterpret_cast<sockaddr*>(&v4);
  socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
  listener_ = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, name, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, name, &size) != 0) {
    throw std::runtime_error("cannot listen on " + address);
  }
  port_ = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
  acceptor_ = std::thread([this] { AcceptAll(); });
}

std::string ScriptedServer::Url(std::string_view host) const {
  std::string url = context_ != nullptr ? "https://" : "http://";
  url.append(host);
  return url + ":" + std::to_string(port_);
}

void ScriptedServer::StopListening() {
  // On Linux this ends the accept() under way, too.
  shutdown(listener_, SHUT_RDWR);
}

ScriptedServer::~ScriptedServer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (Worker& worker : workers_) shutdown(worker.peer->fd_, SHUT_RDWR);
  }
  StopListening();
  acceptor_.join();
  for (Worker& worker : workers_) worker.thread.join();
  workers_.clear();
  close(listener_);
  SSL_CTX_free(context_);
}

void ScriptedServer::AcceptAll() {
  for (;;) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) {
      close(fd);
      return;
    }
    workers_.emplace_back();
    Worker& worker = workers_.back();
    worker.peer.reset(new ServerPeer(fd, accepted_++));
    worker.thread = std::thread([this, peer = worker.peer.get()] {
      if (context_ == nullptr || !shake_hands_ || peer->Accept(context_)) script_(*peer);
      // The end of the script is the end of the connection.
      peer->Close();
    });
  }
}

}  // namespace vaultcore
