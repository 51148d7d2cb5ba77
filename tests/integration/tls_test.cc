// TLS: whom we trust, what we refuse, and how it is told.

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "support/transport_fixture.h"

namespace vaultcore {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

// Made once: keys take time.
const TestAuthority& OurAuthority() {
  static const TestAuthority* const authority = new TestAuthority("Our Test CA");
  return *authority;
}
const TestAuthority& OtherAuthority() {
  static const TestAuthority* const authority = new TestAuthority("Other Test CA");
  return *authority;
}
const TestIdentity& GoodIdentity() {
  static const TestIdentity* const identity = new TestIdentity(OurAuthority().Issue());
  return *identity;
}

class TlsTest : public TransportFixture {
 protected:
  TlsTest() {
    std::string name = std::filesystem::temp_directory_path() / "vaultcore-tls-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }

  std::string File(const std::string& name, const std::string& content) const {
    const std::string path = folder_ / name;
    std::ofstream(path) << content;
    return path;
  }

  // A server that answers "ok", with these deviations.
  static std::unique_ptr<ScriptedServer> Serve(ScriptedServer::Tls tls) {
    return std::make_unique<ScriptedServer>(
        [](ServerPeer& peer) {
          while (peer.ReadRequest()) peer.Answer(200, "ok");
        },
        std::move(tls));
  }
  static ScriptedServer::Tls With(TestIdentity identity) {
    ScriptedServer::Tls tls;
    tls.identity = std::move(identity);
    return tls;
  }
  static ScriptedServer::Tls Good() { return With(GoodIdentity()); }
  static ScriptedServer::Tls With(const TestCertificateOptions& options) {
    return With(OurAuthority().Issue(options));
  }

  static ConnectionSettings Trusting(const ScriptedServer& server,
                                     std::string_view host = "127.0.0.1") {
    ConnectionSettings settings = SettingsFor(server.Url(host));
    settings.tls.ca_pem = OurAuthority().certificate();
    return settings;
  }
  Exchange Ask(ConnectionSettings settings) { return Get(*Connect(std::move(settings))); }
  StatusOr<std::unique_ptr<Transport>> Make(const TlsSettings& tls) {
    ConnectionSettings settings = SettingsFor("https://127.0.0.1:1");
    settings.tls = tls;
    return MakeHttpTransport(context_.get_executor(), std::move(settings));
  }

  std::filesystem::path folder_;
};

TEST_F(TlsTest, TrustsTheAuthorityThatItIsGiven) {
  const auto server = Serve(Good());
  EXPECT_THAT(Ask(Trusting(*server)), AnsweredWith("ok"));
  EXPECT_THAT(Ask(Trusting(*server, "localhost")), AnsweredWith("ok"));

  ConnectionSettings by_file = SettingsFor(server->Url());
  by_file.tls.ca_file =
      File("ca.pem", "a comment\n" + OtherAuthority().certificate() + OurAuthority().certificate());
  EXPECT_THAT(Ask(std::move(by_file)), AnsweredWith("ok"));

  ConnectionSettings by_folder = SettingsFor(server->Url());
  File("one.crt", OurAuthority().certificate());
  File("readme.txt", "no certificate");
  std::filesystem::create_directory(folder_ / "more");
  by_folder.tls.ca_dir = folder_;
  EXPECT_THAT(Ask(std::move(by_folder)), AnsweredWith("ok"));
}

TEST_F(TlsTest, AFileWinsOverAFolder) {
  const auto server = Serve(Good());
  ConnectionSettings settings = SettingsFor(server->Url());
  settings.tls.ca_file = File("other.pem", OtherAuthority().certificate());
  std::filesystem::create_directory(folder_ / "cas");
  File("cas/ours.pem", OurAuthority().certificate());
  settings.tls.ca_dir = folder_ / "cas";
  EXPECT_THAT(Ask(std::move(settings)).result, StatusIs(ErrorKind::kTls));
}

TEST_F(TlsTest, AnUnknownAuthority) {
  const auto server = Serve(Good());
  const Exchange exchange = Ask(SettingsFor(server->Url()));
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kTls, AllOf(HasSubstr(server->Url()), HasSubstr("not trusted"),
                                              HasSubstr("CN=Our Test CA"))));
  EXPECT_THAT(exchange.result, HintIs(HasSubstr("set VAULT_CACERT")));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TlsTest, AnotherAuthorityThanTheOneGiven) {
  const auto server = Serve(Good());
  ConnectionSettings settings = SettingsFor(server->Url());
  settings.tls.ca_file = File("other.pem", OtherAuthority().certificate());
  const Exchange exchange = Ask(std::move(settings));
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTls, HasSubstr("not trusted")));
  EXPECT_THAT(exchange.result, HintIs(AllOf(HasSubstr("other.pem"), HasSubstr("VAULT_CACERT"))));
}

TEST_F(TlsTest, AnAuthorityOfTheSameNameButAnotherKey) {
  const TestAuthority impostor("Our Test CA");
  const auto server = Serve(With(impostor.Issue()));
  EXPECT_THAT(Ask(Trusting(*server)).result, StatusIs(ErrorKind::kTls, HasSubstr("not trusted")));
}

TEST_F(TlsTest, AnExpiredCertificate) {
  TestCertificateOptions options;
  options.valid_from = std::chrono::hours(-48);
  options.valid_until = std::chrono::hours(-24);
  const auto server = Serve(With(options));
  const Exchange exchange = Ask(Trusting(*server));
  EXPECT_THAT(exchange.result,
              StatusIs(ErrorKind::kTls, testing::ContainsRegex("expired on 20[0-9][0-9]-[0-9-]+ "
                                                               "[0-9:]+ UTC")));
  EXPECT_THAT(exchange.result, HintIs(HasSubstr("clock")));
}

TEST_F(TlsTest, ACertificateOfTheFuture) {
  TestCertificateOptions options;
  options.valid_from = std::chrono::hours(24);
  options.valid_until = std::chrono::hours(48);
  const auto server = Serve(With(options));
  EXPECT_THAT(Ask(Trusting(*server)).result,
              StatusIs(ErrorKind::kTls, HasSubstr("not valid before 20")));
}

TEST_F(TlsTest, ACertificateForAnotherHost) {
  TestCertificateOptions options;
  options.names = {"DNS:vault.example", "DNS:*.internal.example", "IP:10.1.2.3"};
  const auto server = Serve(With(options));
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const Exchange exchange = Ask(Trusting(*server, host));
    EXPECT_THAT(
        exchange.result,
        StatusIs(ErrorKind::kTls, HasSubstr(std::string("is for vault.example, *.internal.example, "
                                                        "10.1.2.3, not for ") +
                                            host)));
    EXPECT_THAT(exchange.result, HintIs(HasSubstr("VAULT_TLS_SERVER_NAME")));
  }
  ConnectionSettings named = Trusting(*server);
  named.tls.server_name = "vault.example";
  EXPECT_THAT(Ask(std::move(named)), AnsweredWith("ok"));
  ConnectionSettings below = Trusting(*server);
  below.tls.server_name = "a.internal.example";
  EXPECT_THAT(Ask(std::move(below)), AnsweredWith("ok"));
}

TEST_F(TlsTest, ACommonNameAloneDoesNotCount) {
  TestCertificateOptions options;
  options.names = {};
  options.common_name = "localhost";
  const auto server = Serve(With(options));
  EXPECT_THAT(Ask(Trusting(*server, "localhost")).result,
              StatusIs(ErrorKind::kTls, HasSubstr("names no host")));
}

TEST_F(TlsTest, SkippingVerificationAcceptsAnything) {
  const auto server = Serve(With(OtherAuthority().Issue()));
  ConnectionSettings settings = SettingsFor(server->Url());
  settings.tls.skip_verify = true;
  EXPECT_THAT(Ask(std::move(settings)), AnsweredWith("ok"));
}

TEST_F(TlsTest, TheServerLearnsTheNameItIsAskedFor) {
  std::string name;
  ScriptedServer server(
      [&](ServerPeer& peer) {
        name = peer.server_name();
        while (peer.ReadRequest()) peer.Answer(200, "ok");
      },
      Good());
  EXPECT_THAT(Ask(Trusting(server, "localhost")), AnsweredWith("ok"));
  EXPECT_EQ(name, "localhost");
  ConnectionSettings dotted = Trusting(server);
  dotted.tls.server_name = "localhost.";
  EXPECT_THAT(Ask(std::move(dotted)), AnsweredWith("ok"));
  EXPECT_EQ(name, "localhost");
  EXPECT_THAT(Ask(Trusting(server)), AnsweredWith("ok"));
  EXPECT_EQ(name, "") << "an address is no name";
}

TEST_F(TlsTest, AServerThatOffersNoSafeVersion) {
  ScriptedServer::Tls old = Good();
  old.max_version = TLS1_1_VERSION;
  const auto server = Serve(std::move(old));
  EXPECT_THAT(Ask(Trusting(*server)).result,
              StatusIs(ErrorKind::kTls, HasSubstr("no TLS version that is still safe")));
}

TEST_F(TlsTest, Tls12IsEnough) {
  ScriptedServer::Tls tls = Good();
  tls.max_version = TLS1_2_VERSION;
  const auto server = Serve(std::move(tls));
  EXPECT_THAT(Ask(Trusting(*server)), AnsweredWith("ok"));
}

TEST_F(TlsTest, AClientCertificate) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    ScriptedServer::Tls tls = Good();
    tls.client_authority = OurAuthority().certificate();
    tls.max_version = version;
    const auto server = Serve(std::move(tls));

    const Exchange without = Ask(Trusting(*server));
    EXPECT_THAT(without.result, StatusIs(ErrorKind::kTls));
    EXPECT_THAT(without.result, HintIs(HasSubstr("VAULT_CLIENT_CERT")));

    for (const bool right : {true, false}) {
      const TestIdentity client = (right ? OurAuthority() : OtherAuthority()).Issue();
      ConnectionSettings settings = Trusting(*server);
      settings.tls.client_cert = File("client.crt", client.certificate);
      settings.tls.client_key = File("client.key", client.key);
      const Exchange exchange = Ask(std::move(settings));
      if (right) {
        EXPECT_THAT(exchange, AnsweredWith("ok"));
      } else {
        EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTls, HasSubstr("client certificate")));
        EXPECT_THAT(exchange.result, HintIs(HasSubstr("must trust the authority")));
      }
    }
  }
}

TEST_F(TlsTest, UnusableFilesAreNamed) {
  TlsSettings tls;
  tls.ca_file = folder_ / "absent.pem";
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage,
                                  AllOf(HasSubstr("absent.pem"), HasSubstr("VAULT_CACERT"))));
  tls.ca_file = File("empty.pem", "no PEM here");
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage,
                                  AllOf(HasSubstr("empty.pem"), HasSubstr("no certificate"))));
  std::string damaged = OurAuthority().certificate();
  damaged.replace(100, 4, "AAAA");
  tls.ca_file = File("damaged.pem", damaged);
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("damaged.pem")));
  tls = {};
  tls.ca_pem = "nothing";
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("VAULT_CACERT_BYTES")));
  tls = {};
  tls.ca_dir = folder_ / "absent";
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("VAULT_CAPATH")));
  std::filesystem::create_directory(folder_ / "empty");
  tls.ca_dir = folder_ / "empty";
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("no certificate")));
}

TEST_F(TlsTest, UnusableClientCertificatesAreNamed) {
  const TestIdentity client = OurAuthority().Issue();
  TlsSettings tls;
  tls.client_cert = File("client.crt", client.certificate);
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("no client key")));
  tls.client_key = folder_ / "absent.key";
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("absent.key")));
  tls.client_key =
      File("not.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("no usable private key")));
  tls.client_key = File("other.key", OurAuthority().Issue().key);
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("does not belong")));

  EVP_PKEY* key = EVP_EC_gen("P-256");
  const std::string path = folder_ / "encrypted.key";
  FILE* file = fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, key, EVP_aes_256_cbc(), reinterpret_cast<const unsigned char*>("pw"),
                       2, nullptr, nullptr);
  fclose(file);
  EVP_PKEY_free(key);
  tls.client_key = path;
  EXPECT_THAT(Make(tls), StatusIs(ErrorKind::kUsage, HasSubstr("protected by a password")));
}

TEST_F(TlsTest, TlsToAPlainServer) {
  ScriptedServer server([](ServerPeer& peer) {
    peer.ReadSome();
    peer.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.Hang();
  });
  const Exchange exchange = Ask(SettingsFor("https://127.0.0.1:" + std::to_string(server.port())));
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTls, HasSubstr("does not speak TLS")));
  EXPECT_THAT(exchange.result, HintIs(HasSubstr("http://")));
}

TEST_F(TlsTest, PlainToATlsServer) {
  // OpenSSL's own answer to a request in the clear: an alert, or nothing at all.
  ScriptedServer::Tls raw = Good();
  raw.shake_hands = false;
  ScriptedServer server(
      [](ServerPeer& peer) {
        peer.ReadSome();
        peer.Send(std::string_view("\x15\x03\x01\x00\x02\x02\x46", 7));
        peer.Hang();
      },
      raw);
  const Exchange exchange = Ask(SettingsFor("http://127.0.0.1:" + std::to_string(server.port())));
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kTls, HasSubstr("speaks TLS")));
  EXPECT_THAT(exchange.result, HintIs(HasSubstr("https://")));
}

TEST_F(TlsTest, TheHandshakeStalls) {
  ScriptedServer::Tls raw = Good();
  raw.shake_hands = false;
  ScriptedServer server([](ServerPeer& peer) { peer.Hang(); }, raw);
  ConnectionSettings settings = Trusting(server);
  settings.handshake_timeout = Milliseconds(150);
  const Exchange exchange = Ask(std::move(settings));
  EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable,
                                        AllOf(HasSubstr("TLS handshake"), HasSubstr("150ms"))));
  EXPECT_FALSE(exchange.request_sent);
}

TEST_F(TlsTest, TheHandshakeIsCutShort) {
  ScriptedServer::Tls raw = Good();
  raw.shake_hands = false;
  for (const bool rudely : {false, true}) {
    ScriptedServer server(
        [rudely](ServerPeer& peer) {
          peer.ReadSome();
          if (rudely) peer.Reset();
        },
        raw);
    const Exchange exchange = Ask(Trusting(server));
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable, HasSubstr("TLS handshake")));
    EXPECT_FALSE(exchange.request_sent);
  }
}

TEST_F(TlsTest, CancelEndsAHandshake) {
  ScriptedServer::Tls raw = Good();
  raw.shake_hands = false;
  ScriptedServer server([](ServerPeer& peer) { peer.Hang(); }, raw);
  auto transport = Connect(Trusting(server));
  auto batch = Begin(*transport, Reads(3));
  context_.restart();
  context_.run_for(Milliseconds(100));
  transport->Cancel();
  Finish(*batch);
  for (const Exchange& exchange : batch->exchanges) {
    EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kCancelled));
  }
}

TEST_F(TlsTest, FurtherConnectionsResumeTheSession) {
  std::atomic<int> resumed{0}, fresh{0};
  ScriptedServer server(
      [&](ServerPeer& peer) {
        ++(peer.resumed() ? resumed : fresh);
        while (auto request = peer.ReadRequest()) {
          // A write is answered only when there is a second connection.
          const bool is_write = !request->body.empty();
          for (int i = 0; is_write && resumed == 0 && i < 5000; ++i) usleep(1000);
          peer.Answer(200, "ok");
        }
      },
      Good());
  auto transport = Connect(Trusting(server));
  ASSERT_THAT(Get(*transport), AnsweredWith("ok"));
  const auto batch = SendAll(*transport, Writes(40));
  EXPECT_THAT(batch->exchanges, Each(AnsweredWith("ok")));
  EXPECT_EQ(fresh, 1);
  EXPECT_GE(resumed, 1);
}

TEST_F(TlsTest, LargeBodiesBothWays) {
  const std::string big(3 << 20, 'x');
  ScriptedServer server(
      [](ServerPeer& peer) {
        while (auto request = peer.ReadRequest()) peer.Answer(200, request->body);
      },
      Good());
  auto transport = Connect(Trusting(server));
  EXPECT_THAT(Send(*transport, Write("x", big)), AnsweredWith(big));
}

TEST_F(TlsTest, AnAnswerThatEndsWithTheConnectionNeedsTheGoodbye) {
  for (const bool rudely : {false, true}) {
    ScriptedServer server(
        [rudely](ServerPeer& peer) {
          peer.ReadRequest();
          peer.Send("HTTP/1.1 200 OK\r\n\r\nall of it?");
          if (rudely) {
            peer.CloseRudely();
          } else {
            peer.Close();
          }
        },
        Good());
    const Exchange exchange = Ask(Trusting(server));
    if (rudely) {
      EXPECT_THAT(exchange.result, StatusIs(ErrorKind::kUnavailable));
    } else {
      EXPECT_THAT(exchange, AnsweredWith("all of it?"));
    }
  }
}

TEST_F(TlsTest, AStatedLengthNeedsNoGoodbye) {
  ScriptedServer server(
      [](ServerPeer& peer) {
        peer.ReadRequest();
        peer.Answer(200, "ok", "Connection: close\r\n");
        peer.CloseRudely();
      },
      Good());
  auto transport = Connect(Trusting(server));
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
  EXPECT_THAT(Get(*transport), AnsweredWith("ok"));
}

TEST_F(TlsTest, ATunnelThroughAProxy) {
  std::string line, password;
  const auto server = Serve(Good());
  ScriptedServer proxy([&](ServerPeer& peer) {
    auto request = peer.ReadRequest();
    line = request->line;
    password = request->headers["proxy-authorization"];
    // What the proxy would do: carry bytes. Here it plays the server itself, in the clear up to
    // here; the answer is split.
    peer.Send("HTTP/1.1 200 Connection");
    peer.Send(" established\r\nX-Proxy: 1\r\n\r\n");
    peer.CarryTo(server->port());
  });
  ConnectionSettings settings = Trusting(*server);
  settings.proxy = Endpoint::Parse(proxy.Url()).value();
  settings.proxy_authorization = Secret::CopyOf("Basic eDp5");
  EXPECT_THAT(Ask(std::move(settings)), AnsweredWith("ok"));
  EXPECT_EQ(line, "CONNECT 127.0.0.1:" + std::to_string(server->port()) + " HTTP/1.1");
  EXPECT_EQ(password, "Basic eDp5");
}

TEST_F(TlsTest, AProxyThatOpensNoTunnel) {
  struct Case {
    const char* answer;
    ErrorKind kind;
    const char* message;
  };
  for (const Case& c :
       {Case{"HTTP/1.1 407 Auth\r\nContent-Length: 3\r\n\r\n", ErrorKind::kAuth, "user name"},
        Case{"HTTP/1.1 403 No\r\n\r\n", ErrorKind::kRejected, "refused to connect"},
        Case{"HTTP/1.1 502 Bad\r\n\r\n", ErrorKind::kUnavailable, "could not reach"},
        Case{"SSH-2.0-x\r\n\r\n", ErrorKind::kProtocol, "not HTTP"},
        Case{"", ErrorKind::kUnavailable, "closed the connection"}}) {
    ScriptedServer proxy([&](ServerPeer& peer) {
      peer.ReadRequest();
      peer.Send(c.answer);
    });
    ConnectionSettings settings = SettingsFor("https://vault.invalid:8200");
    settings.proxy = Endpoint::Parse(proxy.Url()).value();
    const Exchange exchange = Ask(std::move(settings));
    EXPECT_THAT(exchange.result, StatusIs(c.kind, HasSubstr(c.message))) << c.answer;
    EXPECT_THAT(exchange.result, StatusIs(c.kind, HasSubstr("the proxy 127.0.0.1"))) << c.answer;
    EXPECT_FALSE(exchange.request_sent);
  }
}

TEST_F(TlsTest, AProxyThatStalls) {
  ScriptedServer proxy([](ServerPeer& peer) { peer.Hang(); });
  ConnectionSettings settings = SettingsFor("https://vault.invalid:8200");
  settings.proxy = Endpoint::Parse(proxy.Url()).value();
  settings.connect_timeout = Milliseconds(150);
  EXPECT_THAT(Ask(std::move(settings)).result,
              StatusIs(ErrorKind::kUnavailable, AllOf(HasSubstr("tunnel"), HasSubstr("150ms"))));
}

}  // namespace
}  // namespace vaultcore
