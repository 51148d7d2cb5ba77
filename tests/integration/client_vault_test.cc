// The client against the real Vault, set up as the guide says: what unit tests assume about the
// server is true.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "support/status_matchers.h"
#include "vaultcore/base/file.h"
#include "vaultcore/client/client.h"

namespace vaultcore {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// The servers' description, written by tools/servers.
const Json& Servers() {
  static const Json servers = [] {
    const char* path = std::getenv("VC_TEST_SERVERS");
    auto text = ReadSecretFile(path == nullptr ? "" : path);
    if (!text.ok()) ADD_FAILURE() << "no servers: " << MessageOf(text.status());
    auto parsed = text.ok() ? Json::Parse(text->Reveal()) : StatusOr<Json>(Json());
    return parsed.ok() ? *std::move(parsed) : Json();
  }();
  return servers;
}

std::string Server(std::string_view variable) {
  return std::string(Servers()["environment"][variable].AsText());
}

ClientOptions OptionsFor(std::string_view address_variable = "VC_TEST_VAULT_ADDR") {
  ClientOptions options;
  auto address = Endpoint::Parse(Server(address_variable));
  EXPECT_THAT(address, IsOk());
  if (address.ok()) options.connection.address = *address;
  options.connection.tls.ca_file = Server("VC_TEST_VAULT_CACERT");
  options.deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  return options;
}

// A Vault of its own, which nobody has unsealed.
ClientOptions OptionsForSealed() {
  ClientOptions options = OptionsFor("VC_TEST_VAULT_SEALED_ADDR");
  options.connection.tls.ca_file = std::string(Servers()["vaults"]["sealed"]["ca_cert"].AsText());
  return options;
}

StatusOr<Client> ConnectWithToken(std::string_view token, ClientOptions options = OptionsFor()) {
  auto auth = MakeTokenAuth(Secret::CopyOf(token));
  if (!auth.ok()) return auth.status();
  return Client::Connect(std::move(options), *std::move(auth));
}

StatusOr<Client> ConnectAsGenerator() {
  return ConnectWithToken(Server("VC_TEST_GENERATOR_TOKEN"));
}
StatusOr<Client> ConnectAsRoot() { return ConnectWithToken(Server("VC_TEST_VAULT_ROOT_TOKEN")); }

std::unique_ptr<AuthMethod> AppRole(std::string_view secret_id) {
  AppRoleCredentials credentials{*Mount::Parse("approle"),
                                 Secret::CopyOf(Server("VC_TEST_ROLE_ID")),
                                 Secret::CopyOf(secret_id), false};
  return MakeAppRoleAuth(std::move(credentials));
}

// A path that no other test, and no earlier run, uses.
SecretRef FreshRef(std::string_view mount = "secret") {
  static std::atomic<int> counter{0};
  std::string path = "harness/test-" + std::to_string(::getpid()) + "-" +
                     std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) +
                     "-" + std::to_string(++counter);
  return SecretRef{*Mount::Parse(mount), *SecretPath::Parse(path)};
}

KvWrite WriteOf(const SecretRef& ref, std::string_view value, std::optional<CheckAndSet> cas = {}) {
  KvWrite write{ref, {}, cas};
  write.data.emplace("KEY", Json::String(value));
  return write;
}

TEST(ClientVault, WritesAndReadsWithTheGuidesGeneratorPolicy) {
  auto vault = ConnectAsGenerator();
  ASSERT_THAT(vault, IsOk());
  const SecretRef ref = FreshRef();
  auto absent = vault->Read(ref);
  ASSERT_THAT(absent, IsOk());
  EXPECT_EQ(absent->state, KvEntry::State::kAbsent);

  EXPECT_EQ(*vault->Write(WriteOf(ref, "one", CheckAndSet{0})), 1u);
  EXPECT_THAT(vault->Write(WriteOf(ref, "other", CheckAndSet{0})), StatusIs(ErrorKind::kConflict));
  EXPECT_EQ(*vault->Write(WriteOf(ref, "two", CheckAndSet{1})), 2u);
  auto entry = vault->Read(ref);
  ASSERT_THAT(entry, IsOk());
  EXPECT_EQ(entry->version, 2u);
  EXPECT_EQ(entry->data.at("KEY").AsText(), "two");
}

// Vault itself turns the numbers of a KV v2 entry into floating point when it stores them: one that
// would change is refused, all others arrive to the letter.
TEST(ClientVault, KeepsValuesAsVaultSendsThem) {
  auto vault = ConnectAsGenerator();
  ASSERT_THAT(vault, IsOk());
  const SecretRef ref = FreshRef();
  KvWrite write{ref, {}, CheckAndSet{0}};
  write.data.emplace("BIG", Json::RawNumber("12345678901234567890123"));
  EXPECT_THAT(vault->Write(write), StatusIs(ErrorKind::kUsage));
  write.data.erase("BIG");
  write.data.emplace("PORT", Json::Number(5432));
  write.data.emplace("FLAG", Json::Bool(true));
  write.data.emplace("NOTHING", Json());
  write.data.emplace("TEXT", Json::String("quotes \" and \xc3\xa9 and\nlines"));
  ASSERT_THAT(vault->Write(write), IsOk());
  auto entry = vault->Read(ref);
  ASSERT_THAT(entry, IsOk());
  EXPECT_EQ(KvText(entry->data.at("PORT")).Reveal(), "5432");
  EXPECT_EQ(KvText(entry->data.at("FLAG")).Reveal(), "true");
  EXPECT_EQ(KvText(entry->data.at("NOTHING")).Reveal(), "");
  EXPECT_EQ(KvText(entry->data.at("TEXT")).Reveal(), "quotes \" and \xc3\xa9 and\nlines");
}

TEST(ClientVault, WorksOnKvV1WithoutBeingTold) {
  auto vault = ConnectAsRoot();
  ASSERT_THAT(vault, IsOk());
  const SecretRef ref = FreshRef("kv1");
  auto mount = vault->ResolveKvMount(ref.mount);
  ASSERT_THAT(mount, IsOk());
  EXPECT_EQ(mount->version, KvVersion::kV1);
  EXPECT_EQ(*vault->Write(WriteOf(ref, "one")), 0u);
  auto fresh = ConnectAsRoot();
  ASSERT_THAT(fresh, IsOk());
  auto entries = fresh->ReadMany({ref, FreshRef("kv1")});
  ASSERT_THAT(entries[0], IsOk());
  EXPECT_EQ(entries[0]->data.at("KEY").AsText(), "one");
  ASSERT_THAT(entries[1], IsOk());
  EXPECT_EQ(entries[1]->state, KvEntry::State::kAbsent);
}

TEST(ClientVault, TellsDeletedAndDestroyedFromAbsent) {
  auto root = ConnectAsRoot();
  ASSERT_THAT(root, IsOk());
  const SecretRef ref = FreshRef();
  ASSERT_THAT(root->Write(WriteOf(ref, "one")), IsOk());
  ASSERT_THAT(root->Send(HttpRequest(Method::kDelete, "secret/data/" + ref.path.text())), IsOk());
  auto deleted = root->Read(ref);
  ASSERT_THAT(deleted, IsOk());
  EXPECT_EQ(deleted->state, KvEntry::State::kDeleted);
  EXPECT_EQ(deleted->version, 1u);

  Json versions = Json::Object();
  Json list = Json::Array();
  list.Append(Json::Number(1));
  versions.Set("versions", std::move(list));
  ASSERT_THAT(
      root->Send(HttpRequest(Method::kPut, "secret/destroy/" + ref.path.text(), versions.Dump())),
      IsOk());
  auto destroyed = root->Read(ref);
  ASSERT_THAT(destroyed, IsOk());
  EXPECT_EQ(destroyed->state, KvEntry::State::kDestroyed);
}

TEST(ClientVault, ThreeHundredEntriesConcurrently) {
  auto vault = ConnectAsGenerator();
  ASSERT_THAT(vault, IsOk());
  std::vector<KvWrite> writes;
  std::vector<SecretRef> refs;
  for (int i = 0; i < 300; ++i) {
    refs.push_back(FreshRef());
    writes.push_back(WriteOf(refs.back(), "value-" + std::to_string(i), CheckAndSet{0}));
  }
  for (const auto& written : vault->WriteMany(writes)) EXPECT_THAT(written, IsOk());
  auto entries = vault->ReadMany(refs);
  for (size_t i = 0; i < entries.size(); ++i) {
    ASSERT_THAT(entries[i], IsOk());
    EXPECT_EQ(entries[i]->data.at("KEY").AsText(), "value-" + std::to_string(i));
  }
}

TEST(ClientVault, AppRoleLoginReadsButDoesNotWriteAndIsRevoked) {
  auto generator = ConnectAsGenerator();
  ASSERT_THAT(generator, IsOk());
  const SecretRef ref = FreshRef();
  ASSERT_THAT(generator->Write(WriteOf(ref, "one")), IsOk());

  auto vault = Client::Connect(OptionsFor(), AppRole(Server("VC_TEST_SECRET_ID")));
  ASSERT_THAT(vault, IsOk());
  EXPECT_TRUE(vault->token().owned);
  EXPECT_THAT(vault->token().policies, Contains("harness-runtime"));
  EXPECT_THAT(vault->Read(ref), IsOk());
  auto refused = vault->Write(WriteOf(ref, "two"));
  EXPECT_THAT(refused, StatusIs(ErrorKind::kPermission));
  EXPECT_THAT(HintOf(refused.status()), HasSubstr("secret/data/harness"));

  Secret token = vault->token().token.Clone();
  EXPECT_THAT(vault->Logout(), IsOk());
  auto revoked = ConnectWithToken(token.Reveal());
  ASSERT_THAT(revoked, IsOk());
  EXPECT_FALSE(revoked->LookupSelf().ok());
}

TEST(ClientVault, AWrongSecretIdIsAnAuthError) {
  auto vault = Client::Connect(OptionsFor(), AppRole("00000000-0000-0000-0000-000000000000"));
  EXPECT_THAT(vault, StatusIs(ErrorKind::kAuth));
  EXPECT_EQ(ExitCodeFor(vault.status()), ExitCode::kAuth);
}

TEST(ClientVault, AWrappedSecretIdIsUnwrappedOnce) {
  auto root = ConnectAsRoot();
  ASSERT_THAT(root, IsOk());
  HttpRequest ask(Method::kPost, "auth/approle/role/harness/secret-id");
  ASSERT_THAT(ask.AddHeader("X-Vault-Wrap-TTL", "60s"), IsOk());
  auto answer = root->Send(std::move(ask));
  ASSERT_THAT(answer, IsOk());
  auto body = Json::Parse(answer->body.Reveal());
  ASSERT_THAT(body, IsOk());
  const std::string wrapping((*body)["wrap_info"]["token"].AsText());
  ASSERT_FALSE(wrapping.empty());
  auto login = [&] {
    AppRoleCredentials credentials{*Mount::Parse("approle"),
                                   Secret::CopyOf(Server("VC_TEST_ROLE_ID")),
                                   Secret::CopyOf(wrapping), true};
    return Client::Connect(OptionsFor(), MakeAppRoleAuth(std::move(credentials)));
  };
  EXPECT_THAT(login(), IsOk());
  EXPECT_THAT(login(), StatusIs(ErrorKind::kAuth));
}

TEST(ClientVault, AMountThatDoesNotExist) {
  auto vault = ConnectAsGenerator();
  ASSERT_THAT(vault, IsOk());
  auto mount = vault->ResolveKvMount(*Mount::Parse("nowhere"));
  ASSERT_FALSE(mount.ok());
  EXPECT_THAT(std::string(MessageOf(mount.status())), HasSubstr("nowhere"));
}

TEST(ClientVault, AWrongTokenIsRefusedWithoutBeingShown) {
  auto vault = ConnectWithToken("hvs.not-a-token");
  ASSERT_THAT(vault, IsOk());
  auto entry = vault->Read(FreshRef());
  ASSERT_FALSE(entry.ok());
  EXPECT_EQ(ExitCodeFor(entry.status()), ExitCode::kAuth);
  EXPECT_THAT(std::string(MessageOf(entry.status())) + HintOf(entry.status()),
              Not(HasSubstr("not-a-token")));
}

TEST(ClientVault, ASealedVaultIsUnavailableAndSaysSo) {
  ClientOptions options = OptionsForSealed();
  options.retry.max_retries = 0;
  auto vault = Client::Connect(std::move(options), AppRole("x"));
  EXPECT_THAT(vault, StatusIs(ErrorKind::kUnavailable, HasSubstr("sealed")));
}

TEST(ClientVault, PlainHttpListenerWorksWithoutTls) {
  auto vault =
      ConnectWithToken(Server("VC_TEST_GENERATOR_TOKEN"), OptionsFor("VC_TEST_VAULT_ADDR_HTTP"));
  ASSERT_THAT(vault, IsOk());
  EXPECT_THAT(vault->LookupSelf(), IsOk());
}

TEST(ClientVault, HttpsOnAPlainListenerAndTheOtherWayRoundAreToldPlainly) {
  ClientOptions tls_on_plain = OptionsFor("VC_TEST_VAULT_ADDR_HTTP");
  tls_on_plain.connection.address.tls = true;
  auto a = ConnectWithToken(Server("VC_TEST_GENERATOR_TOKEN"), std::move(tls_on_plain));
  ASSERT_THAT(a, IsOk());
  auto looked = a->LookupSelf();
  ASSERT_FALSE(looked.ok());
  EXPECT_THAT(std::string(MessageOf(looked.status())) + HintOf(looked.status()),
              HasSubstr("http://"));

  ClientOptions plain_on_tls = OptionsFor();
  plain_on_tls.connection.address.tls = false;
  auto b = ConnectWithToken(Server("VC_TEST_GENERATOR_TOKEN"), std::move(plain_on_tls));
  ASSERT_THAT(b, IsOk());
  looked = b->LookupSelf();
  ASSERT_FALSE(looked.ok());
  EXPECT_THAT(std::string(MessageOf(looked.status())) + HintOf(looked.status()),
              HasSubstr("https://"));
}

TEST(ClientVault, AnUnknownCaIsATlsErrorWithAHint) {
  ClientOptions options = OptionsFor();
  options.connection.tls.ca_file.clear();
  auto vault = ConnectWithToken(Server("VC_TEST_GENERATOR_TOKEN"), std::move(options));
  ASSERT_THAT(vault, IsOk());
  auto looked = vault->LookupSelf();
  EXPECT_THAT(looked, StatusIs(ErrorKind::kTls));
  EXPECT_THAT(HintOf(looked.status()), HasSubstr("VAULT_CACERT"));
}

TEST(ClientVault, CancelFromAnotherThreadEndsAWait) {
  ClientOptions options = OptionsForSealed();
  options.retry.max_retries = -1;
  auto cancellation = options.cancellation;
  std::thread later([cancellation] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    cancellation->Cancel();
  });
  auto vault = Client::Connect(std::move(options), AppRole("x"));
  later.join();
  EXPECT_THAT(vault, StatusIs(ErrorKind::kCancelled));
}

}  // namespace
}  // namespace vaultcore
