// The client's decisions on scripted answers: what is sent, in which order, how often, and what
// comes of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_transport.h"
#include "support/manual_time.h"
#include "support/run_sync.h"
#include "support/status_matchers.h"
#include "vaultcore/client/async_client.h"

namespace vaultcore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kMountV2 =
    R"({"data":{"path":"secret/","type":"kv","options":{"version":"2"}}})";
constexpr const char* kMountV1 =
    R"({"data":{"path":"secret/","type":"kv","options":{"version":"1"}}})";
constexpr const char* kMountDatabase =
    R"({"data":{"path":"database/","type":"database","options":null}})";
constexpr const char* kForbiddenMount =
    R"({"errors":["preflight capability check returned 403, please ensure client's policies grant access to path \"secret/\""]})";
constexpr const char* kEntry =
    R"({"data":{"data":{"KEY":"value"},"metadata":{"created_time":"2024-01-01T00:00:00Z","custom_metadata":null,"deletion_time":"","destroyed":false,"version":3}}})";
constexpr const char* kEntryV1 = R"({"data":{"KEY":"value"}})";
constexpr const char* kWritten = R"({"data":{"version":4,"destroyed":false}})";
constexpr const char* kLostRace =
    R"({"errors":["check-and-set parameter did not match the current version"]})";
constexpr const char* kInvalidToken =
    R"({"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]})";
constexpr const char* kSealed = R"({"errors":["Vault is sealed"]})";

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers()) {
    if (key == name) return std::string(value.Reveal());
  }
  return "";
}

std::vector<std::string> Targets(const FakeServer& server) {
  std::vector<std::string> targets;
  for (const HttpRequest& request : server.requests()) {
    targets.push_back(std::string(MethodName(request.method())) + " " + request.target());
  }
  return targets;
}

SecretRef Ref(std::string_view path, std::string_view mount = "secret") {
  return SecretRef{*Mount::Parse(mount), *SecretPath::Parse(path)};
}

KvWrite WriteOf(std::string_view path, std::optional<CheckAndSet> cas) {
  KvWrite write{Ref(path), {}, cas};
  write.data.emplace("KEY", Json::String("value"));
  return write;
}

// An auth method that gives tokens "t1", "t2", ... and counts.
class CountingAuth final : public AuthMethod {
 public:
  explicit CountingAuth(int* logins, bool can_relogin = true)
      : logins_(logins), can_relogin_(can_relogin) {}
  boost::asio::awaitable<StatusOr<AuthToken>> Login(const Exchanger&) override {
    AuthToken token;
    token.token = Secret::CopyOf("t" + std::to_string(++*logins_));
    token.owned = can_relogin_;
    co_return token;
  }
  std::string Describe() const override { return "counting"; }
  bool CanRelogin() const override { return can_relogin_; }

 private:
  int* logins_;
  bool can_relogin_;
};

class ClientTest : public testing::Test {
 protected:
  // Connects a client to the script. Waits cost nothing and move the clock.
  AsyncClient& Connect(bool can_relogin = true) {
    options_.connection.address = *Endpoint::Parse("https://vault.example:8200");
    options_.jitter = [] { return 0.0; };
    options_.now = clock_.AsFunction();
    options_.observer = [this](const RequestEvent& event) { events_.push_back(event); };
    options_.on_warning = [this](std::string_view warning) { warnings_.emplace_back(warning); };
    cancellation_ = options_.cancellation;
    client_.emplace(context_.get_executor(), std::move(options_),
                    std::make_unique<CountingAuth>(&logins_, can_relogin), server_.Factory(),
                    sleeper_.AsFunction(clock_));
    EXPECT_THAT(RunSync(context_, client_->Connect()), IsOk());
    return *client_;
  }
  template <typename T>
  T Run(boost::asio::awaitable<T> work) {
    return RunSync(context_, std::move(work));
  }

  boost::asio::io_context context_{1};
  FakeServer server_;
  ManualClock clock_;
  RecordingSleeper sleeper_;
  ClientOptions options_;
  std::shared_ptr<Cancellation> cancellation_;
  std::vector<RequestEvent> events_;
  std::vector<std::string> warnings_;
  int logins_ = 0;
  std::optional<AsyncClient> client_;
};

TEST_F(ClientTest, ReadsAnEntryAfterAskingForTheMountOnce) {
  server_.Answer(200, kMountV2);
  server_.Answer(200, kEntry);
  server_.Answer(200, kEntry);
  AsyncClient& vault = Connect();

  auto entry = Run(vault.Read(Ref("harness/x")));
  ASSERT_THAT(entry, IsOk());
  EXPECT_EQ(entry->version, 3u);
  EXPECT_EQ(entry->data.at("KEY").AsText(), "value");
  EXPECT_THAT(Run(vault.Read(Ref("harness/y"))), IsOk());
  EXPECT_THAT(Targets(server_),
              ElementsAre("GET /v1/sys/internal/ui/mounts/secret", "GET /v1/secret/data/harness/x",
                          "GET /v1/secret/data/harness/y"));
}

TEST_F(ClientTest, SendsTokenNamespaceAndVaultRequestHeaders) {
  options_.connection.vault_namespace = "team/a";
  server_.Answer(200, kMountV2);
  server_.Answer(200, kEntry);
  ASSERT_THAT(Run(Connect().Read(Ref("x"))), IsOk());
  for (const HttpRequest& request : server_.requests()) {
    EXPECT_EQ(HeaderOf(request, "X-Vault-Token"), "t1");
    EXPECT_EQ(HeaderOf(request, "X-Vault-Namespace"), "team/a");
    EXPECT_EQ(HeaderOf(request, "X-Vault-Request"), "true");
  }
}

TEST_F(ClientTest, AsksForTheMountTogetherWithTheReads) {
  server_.OnRequest([](const HttpRequest& request) {
    return FakeAnswer(200, request.api_path().starts_with("sys/") ? kMountV2 : kEntry);
  });
  std::vector<SecretRef> refs = {Ref("a"), Ref("b"), Ref("c")};
  auto entries = Run(Connect().ReadMany(refs));
  ASSERT_EQ(entries.size(), 3u);
  for (const auto& entry : entries) EXPECT_THAT(entry, IsOk());
  EXPECT_EQ(server_.requests().size(), 4u);
  EXPECT_EQ(server_.max_in_flight(), 4);
}

TEST_F(ClientTest, ReadsAgainInV1FormWhenTheMountTurnsOutToBeV1) {
  server_.OnRequest([](const HttpRequest& request) {
    if (request.api_path().starts_with("sys/")) return FakeAnswer(200, kMountV1);
    if (request.api_path() == "secret/a") return FakeAnswer(200, kEntryV1);
    if (request.api_path() == "secret/b") return FakeAnswer(404, R"({"errors":[]})");
    return FakeAnswer(403, R"({"errors":["permission denied"]})");
  });
  std::vector<SecretRef> refs = {Ref("a"), Ref("b")};
  auto entries = Run(Connect().ReadMany(refs));
  ASSERT_THAT(entries[0], IsOk());
  EXPECT_EQ(entries[0]->data.at("KEY").AsText(), "value");
  EXPECT_EQ(entries[0]->version, 0u);
  ASSERT_THAT(entries[1], IsOk());
  EXPECT_EQ(entries[1]->state, KvEntry::State::kAbsent);
}

TEST_F(ClientTest, TellsTheVersionFromAnswersWhenTheTokenMayNotAsk) {
  server_.OnRequest([](const HttpRequest& request) {
    if (request.api_path().starts_with("sys/")) return FakeAnswer(403, kForbiddenMount);
    if (request.api_path() == "secret/data/a") return FakeAnswer(200, kEntry);
    return FakeAnswer(403, R"({"errors":["permission denied"]})");
  });
  auto entries = Run(Connect().ReadMany({Ref("a"), Ref("b")}));
  EXPECT_THAT(entries[0], IsOk());
  EXPECT_THAT(entries[1], StatusIs(ErrorKind::kPermission));
}

TEST_F(ClientTest, NeverGuessesTheVersionFromAFailure) {
  server_.OnRequest([](const HttpRequest& request) {
    return request.api_path().starts_with("sys/")
               ? FakeAnswer(403, kForbiddenMount)
               : FakeAnswer(403, R"({"errors":["permission denied"]})");
  });
  auto entry = Run(Connect().Read(Ref("a")));
  EXPECT_THAT(entry, StatusIs(ErrorKind::kPermission));
  auto entries = Run(client_->ReadMany({Ref("a")}));
  EXPECT_THAT(entries[0], StatusIs(ErrorKind::kPermission));
}

TEST_F(ClientTest, RecognisesV2FromItsWarningOnAV1Read) {
  server_.OnRequest([](const HttpRequest& request) {
    if (request.api_path().starts_with("sys/")) return FakeAnswer(403, kForbiddenMount);
    if (request.api_path() == "secret/data/a") return FakeAnswer(404, R"({"errors":[]})");
    return FakeAnswer(
        404,
        R"({"warnings":["Invalid path for a versioned K/V secrets engine. See the API docs"]})");
  });
  auto mount = Run(Connect().ResolveKvMount(*Mount::Parse("secret"), *SecretPath::Parse("a")));
  ASSERT_THAT(mount, IsOk());
  EXPECT_EQ(mount->version, KvVersion::kV2);
}

TEST_F(ClientTest, RefusesAMountThatIsNoKv) {
  server_.OnRequest([](const HttpRequest&) { return FakeAnswer(200, kMountDatabase); });
  auto mount = Run(Connect().ResolveKvMount(*Mount::Parse("database")));
  EXPECT_THAT(mount, StatusIs(ErrorKind::kRejected, HasSubstr("type database")));
}

TEST_F(ClientTest, ResultsAreInInputOrderWithBoundedConcurrency) {
  options_.concurrency = 2;
  server_.OnRequest([](const HttpRequest& request) {
    if (request.api_path().starts_with("sys/")) return FakeAnswer(200, kMountV2);
    std::string value = request.api_path().substr(std::string_view("secret/data/").size());
    return FakeAnswer(200,
                      R"({"data":{"data":{"KEY":")" + value +
                          R"("},"metadata":{"version":1,"deletion_time":"","destroyed":false}}})");
  });
  std::vector<SecretRef> refs;
  for (int i = 0; i < 20; ++i) refs.push_back(Ref("e" + std::to_string(i)));
  auto entries = Run(Connect().ReadMany(refs));
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(entries[static_cast<size_t>(i)], IsOk());
    EXPECT_EQ(entries[static_cast<size_t>(i)]->data.at("KEY").AsText(), "e" + std::to_string(i));
  }
  EXPECT_EQ(server_.max_in_flight(), 2);
}

TEST_F(ClientTest, RetriesWithBackoffUntilVaultIsUnsealed) {
  options_.retry.max_retries = -1;
  server_.Fail(ErrorKind::kUnavailable, "connection refused", false);
  server_.Answer(503, kSealed);
  server_.Answer(200, kMountV2);
  server_.Answer(200, kEntry);
  EXPECT_THAT(Run(Connect().Read(Ref("x"))), IsOk());
  EXPECT_THAT(sleeper_.waits(), ElementsAre(Milliseconds(125), Milliseconds(250)));
  ASSERT_EQ(events_.size(), 4u);
  EXPECT_EQ(events_[0].error, "connection refused");
  EXPECT_EQ(events_[1].http_status, 503);
  EXPECT_THAT(events_[1].error, HasSubstr("sealed"));
  EXPECT_FALSE(events_[2].retry_in.has_value());
}

TEST_F(ClientTest, StopsAtTheDeadlineWithTheLastReason) {
  options_.retry.max_retries = -1;
  options_.deadline = clock_.now() + std::chrono::seconds(3);
  server_.OnRequest([](const HttpRequest&) { return FakeAnswer(503, kSealed); });
  auto entry = Run(Connect().Read(Ref("x")));
  EXPECT_THAT(entry, StatusIs(ErrorKind::kUnavailable, HasSubstr("sealed")));
  Milliseconds waited{0};
  for (Milliseconds wait : sleeper_.waits()) waited += wait;
  EXPECT_LE(waited, Milliseconds(3000));
}

TEST_F(ClientTest, DoesNotRetryWhatWillNotChange) {
  for (int status : {400, 403, 404, 405}) {
    FakeServer server;
    server_ = server;
    server_.OnRequest(
        [status](const HttpRequest&) { return FakeAnswer(status, R"({"errors":["no"]})"); });
    options_ = ClientOptions();
    sleeper_ = RecordingSleeper();
    HttpRequest request(Method::kGet, "sys/anything");
    auto response = Run(Connect().Send(std::move(request)));
    ASSERT_THAT(response, IsOk());
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(server_.requests().size(), 1u) << status;
    EXPECT_THAT(sleeper_.waits(), IsEmpty());
  }
}

TEST_F(ClientTest, LogsInAgainOnceWhenTheTokenHasExpired) {
  server_.Answer(200, kMountV2);
  server_.Answer(403, kInvalidToken);
  server_.Answer(200, kEntry);
  EXPECT_THAT(Run(Connect().Read(Ref("x"))), IsOk());
  EXPECT_EQ(logins_, 2);
  EXPECT_EQ(HeaderOf(server_.requests().back(), "X-Vault-Token"), "t2");
}

TEST_F(ClientTest, ManyRequestsWithAnExpiredTokenLogInTogether) {
  server_.OnRequest([](const HttpRequest& request) {
    if (HeaderOf(request, "X-Vault-Token") == "t1") return FakeAnswer(403, kInvalidToken);
    return FakeAnswer(200, request.api_path().starts_with("sys/") ? kMountV2 : kEntry);
  });
  auto entries = Run(Connect().ReadMany({Ref("a"), Ref("b"), Ref("c"), Ref("d")}));
  for (const auto& entry : entries) EXPECT_THAT(entry, IsOk());
  EXPECT_EQ(logins_, 2);
}

TEST_F(ClientTest, DoesNotLogInAgainForAMissingPolicy) {
  server_.Answer(200, kMountV2);
  server_.Answer(403, R"({"errors":["1 error occurred:\n\t* permission denied\n\n"]})");
  EXPECT_THAT(Run(Connect().Read(Ref("x"))), StatusIs(ErrorKind::kPermission));
  EXPECT_EQ(logins_, 1);
}

TEST_F(ClientTest, AFixedTokenIsNotLoggedInAgain) {
  server_.Answer(200, kMountV2);
  server_.Answer(403, kInvalidToken);
  EXPECT_FALSE(Run(Connect(/*can_relogin=*/false).Read(Ref("x"))).ok());
  EXPECT_EQ(logins_, 1);
}

TEST_F(ClientTest, WritesWithCheckAndSet) {
  server_.Answer(200, kMountV2);
  server_.Answer(200, kWritten);
  KvWrite write = WriteOf("x", CheckAndSet{3});
  auto version = Run(Connect().Write(write));
  ASSERT_THAT(version, IsOk());
  EXPECT_EQ(*version, 4u);
  auto body = Json::Parse(server_.requests()[1].body().Reveal());
  ASSERT_THAT(body, IsOk());
  EXPECT_EQ((*body)["options"]["cas"].AsInt(), 3);
  EXPECT_EQ((*body)["data"]["KEY"].AsText(), "value");
}

TEST_F(ClientTest, ALostRaceIsAConflict) {
  server_.Answer(200, kMountV2);
  server_.Answer(400, kLostRace);
  KvWrite write = WriteOf("x", CheckAndSet{1});
  EXPECT_THAT(Run(Connect().Write(write)), StatusIs(ErrorKind::kConflict));
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(ClientTest, AWriteWhoseAnswerWasLostIsRecognisedAsItsOwn) {
  server_.Answer(200, kMountV2);
  server_.Fail(ErrorKind::kUnavailable, "connection reset", /*request_sent=*/true);
  server_.Answer(400, kLostRace);  // the repetition finds its own first try
  server_.Answer(200, kEntry);     // version 3, the same data
  KvWrite write = WriteOf("x", CheckAndSet{2});
  auto version = Run(Connect().Write(write));
  ASSERT_THAT(version, IsOk());
  EXPECT_EQ(*version, 3u);
}

TEST_F(ClientTest, SomebodyElsesWriteAfterALostAnswerIsAConflict) {
  server_.Answer(200, kMountV2);
  server_.Fail(ErrorKind::kUnavailable, "connection reset", /*request_sent=*/true);
  server_.Answer(400, kLostRace);
  server_.Answer(
      200,
      R"({"data":{"data":{"KEY":"theirs"},"metadata":{"version":3,"deletion_time":"","destroyed":false}}})");
  KvWrite write = WriteOf("x", CheckAndSet{2});
  EXPECT_THAT(Run(Connect().Write(write)), StatusIs(ErrorKind::kConflict));
}

TEST_F(ClientTest, AWriteWithoutCheckAndSetIsNotRepeatedBlindly) {
  server_.Answer(200, kMountV2);
  server_.Fail(ErrorKind::kUnavailable, "connection reset", /*request_sent=*/true);
  server_.Answer(200, kEntry);
  KvWrite write = WriteOf("x", std::nullopt);
  EXPECT_THAT(Run(Connect().Write(write)), IsOk());
  EXPECT_THAT(Targets(server_), ElementsAre("GET /v1/sys/internal/ui/mounts/secret",
                                            "PUT /v1/secret/data/x", "GET /v1/secret/data/x"));
}

TEST_F(ClientTest, WriteManyReportsEachInOrder) {
  server_.OnRequest([](const HttpRequest& request) {
    if (request.api_path().starts_with("sys/")) return FakeAnswer(200, kMountV2);
    if (request.api_path().ends_with("/b")) return FakeAnswer(400, kLostRace);
    return FakeAnswer(200, kWritten);
  });
  std::vector<KvWrite> writes;
  writes.push_back(WriteOf("a", CheckAndSet{0}));
  writes.push_back(WriteOf("b", CheckAndSet{0}));
  std::vector<size_t> done;
  auto results = Run(Connect().WriteMany(
      writes, [&done](size_t index, const StatusOr<uint64_t>&) { done.push_back(index); }));
  EXPECT_THAT(results[0], IsOk());
  EXPECT_THAT(results[1], StatusIs(ErrorKind::kConflict));
  EXPECT_EQ(done.size(), 2u);
}

TEST_F(ClientTest, CancelEndsWhatIsUnderWay) {
  server_.Hang();
  AsyncClient& vault = Connect();
  context_.restart();
  boost::asio::post(context_, [this] { cancellation_->Cancel(); });
  EXPECT_THAT(Run(vault.Read(Ref("x"))), StatusIs(ErrorKind::kCancelled));
  EXPECT_THAT(Run(vault.Read(Ref("x"))), StatusIs(ErrorKind::kCancelled));
}

TEST_F(ClientTest, LogoutRevokesAnOwnTokenAlsoAfterCancel) {
  server_.Answer(204);
  AsyncClient& vault = Connect();
  cancellation_->Cancel();
  EXPECT_THAT(Run(vault.Logout()), IsOk());
  EXPECT_THAT(Targets(server_), ElementsAre("PUT /v1/auth/token/revoke-self"));
  EXPECT_EQ(HeaderOf(server_.requests()[0], "X-Vault-Token"), "t1");
  EXPECT_THAT(Run(vault.Logout()), IsOk());
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(ClientTest, LogoutLeavesTheOperatorsTokenAlone) {
  AsyncClient& vault = Connect(/*can_relogin=*/false);
  EXPECT_THAT(Run(vault.Logout()), IsOk());
  EXPECT_THAT(server_.requests(), IsEmpty());
}

TEST_F(ClientTest, FollowsARedirectToAnotherPortOfTheSameHostOnce) {
  server_.Answer(307, "",
                 {{"Location", "https://vault.example:8210/v1/sys/internal/ui/mounts/secret"}});
  server_.Answer(200, kMountV2);
  auto mount = Run(Connect().ResolveKvMount(*Mount::Parse("secret")));
  EXPECT_THAT(mount, IsOk());
  ASSERT_EQ(server_.endpoints().size(), 2u);
  EXPECT_EQ(server_.endpoints()[1].port, 8210);
}

TEST_F(ClientTest, NeverTakesTheTokenToAnotherHostOrToPlainHttp) {
  for (const char* location : {"https://evil.example:8200/v1/sys/internal/ui/mounts/secret",
                               "http://vault.example:8200/v1/sys/internal/ui/mounts/secret"}) {
    server_ = FakeServer();
    options_ = ClientOptions();
    server_.Answer(307, "", {{"Location", location}});
    auto mount = Run(Connect().ResolveKvMount(*Mount::Parse("secret")));
    EXPECT_FALSE(mount.ok());
    EXPECT_EQ(server_.requests().size(), 1u) << location;
  }
}

TEST_F(ClientTest, DatabaseCredentialsAreNotAskedForTwice) {
  server_.Fail(ErrorKind::kUnavailable, "connection reset", /*request_sent=*/true);
  auto credentials = Run(Connect().ReadDatabaseCredentials(*Mount::Parse("database"), "app"));
  EXPECT_FALSE(credentials.ok());
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(ClientTest, PassesVaultsWarningsOn) {
  server_.Answer(200, kMountV2);
  server_.Answer(
      200,
      R"({"data":{"data":{},"metadata":{"version":1,"deletion_time":"","destroyed":false}},"warnings":["be careful"]})");
  ASSERT_THAT(Run(Connect().Read(Ref("x"))), IsOk());
  EXPECT_THAT(warnings_, ElementsAre("be careful"));
}

TEST_F(ClientTest, KeepsToTheRateLimit) {
  options_.connection.rate_limit = 10;
  options_.connection.rate_burst = 2;
  server_.OnRequest([](const HttpRequest& request) {
    return FakeAnswer(200, request.api_path().starts_with("sys/") ? kMountV2 : kEntry);
  });
  AsyncClient& vault = Connect();
  for (int i = 0; i < 4; ++i) ASSERT_THAT(Run(vault.Read(Ref("x"))), IsOk());
  // Five requests, two of them at once: three waits of a tenth of a second.
  EXPECT_THAT(sleeper_.waits(),
              ElementsAre(Milliseconds(100), Milliseconds(100), Milliseconds(100)));
}

}  // namespace
}  // namespace vaultcore
