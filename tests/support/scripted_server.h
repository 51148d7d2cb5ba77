// ScriptedServer: a server on loopback that does what a test says, right or wrong, plain or over
// TLS. Each connection runs the script in a thread of its own; the destructor ends all of them.
//
//   ScriptedServer server([](ServerPeer& peer) {
//     while (peer.ReadRequest()) peer.Answer(200, "{}");
//   });

#ifndef VAULTCORE_TESTS_SUPPORT_SCRIPTED_SERVER_H_
#define VAULTCORE_TESTS_SUPPORT_SCRIPTED_SERVER_H_

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/test_certificates.h"

namespace vaultcore {

// A request as it came over HTTP/1.1.
struct SeenRequest {
  std::string line;                            // "GET /v1/x HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One connection, from the server's side. Used by the script's thread only.
class ServerPeer {
 public:
  ~ServerPeer();
  ServerPeer(const ServerPeer&) = delete;
  ServerPeer& operator=(const ServerPeer&) = delete;

  // 0 for the server's first connection.
  int number() const { return number_; }
  bool chose_http2() const;
  // The name that the client asked for in TLS (SNI); empty for none.
  std::string server_name() const;
  // True when TLS resumed an earlier connection's session.
  bool resumed() const;

  // The next request; nullopt when the client, or the test, has ended the connection.
  std::optional<SeenRequest> ReadRequest();
  // True when more than the requests read so far arrives within `wait_ms`.
  bool HasMore(int wait_ms);
  // What has arrived; empty at the end.
  std::string ReadSome();
  // False when the client has gone.
  bool Send(std::string_view bytes);
  bool Answer(int status, std::string_view body, std::string_view more_headers = {});
  // Carries bytes between the client and a server on loopback, as a proxy does, until one of them
  // ends.
  void CarryTo(uint16_t port);
  // Waits until the client or the test ends the connection.
  void Hang();
  // Ends the connection: with a goodbye, without TLS's goodbye, or with a reset.
  void Close();
  void CloseRudely();
  void Reset();

 private:
  friend class ScriptedServer;
  ServerPeer(int fd, int number) : fd_(fd), number_(number) {}
  bool Accept(SSL_CTX* context);

  int fd_;
  const int number_;
  SSL* ssl_ = nullptr;
  std::string buffer_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(ServerPeer&)>;
  struct Tls {
    TestIdentity identity;
    std::string client_authority;  // PEM: demand a client certificate of it
    bool http2 = false;            // offer "h2" before "http/1.1"
    int max_version = 0;           // TLS1_1_VERSION, ...; 0: any
    bool shake_hands = true;       // false: the script gets the connection before the handshake
  };

  explicit ScriptedServer(Script script, std::optional<Tls> tls = std::nullopt,
                          std::string address = "127.0.0.1");
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  uint16_t port() const { return port_; }
  // "https://127.0.0.1:PORT", or another host that is this machine.
  std::string Url(std::string_view host = "127.0.0.1") const;
  // Further connections are refused; those there are stay.
  void StopListening();
  // Accepted so far.
  int connections() const { return accepted_; }

 private:
  struct Worker {
    std::unique_ptr<ServerPeer> peer;
    std::thread thread;
  };
  void AcceptAll();

  const Script script_;
  SSL_CTX* context_ = nullptr;
  bool shake_hands_ = true;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::mutex mutex_;
  bool stopping_ = false;
  std::list<Worker> workers_;
  std::thread acceptor_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_SCRIPTED_SERVER_H_
