// Nothing that a session or a parser gives back to the heap still holds a secret: every block is
// looked through on its way back.

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "net/http1_session.h"
#include "net/http2_session.h"
#include "support/recorded_call.h"

namespace {

constexpr char kCanary[] = "canary-7f3a91";
// What is searched for; null for nothing.
const char* wanted = nullptr;
int found = 0;

void Search(void* block) {
  if (wanted == nullptr || block == nullptr) return;
  if (memmem(block, malloc_usable_size(block), wanted, std::strlen(wanted)) != nullptr) ++found;
}

}  // namespace

// The linker puts these in front of what their names say: free, operator delete and delete[].
// NOLINTBEGIN(bugprone-reserved-identifier): the linker chooses these names.
extern "C" {
void __real_free(void* block);
void __real__ZdlPv(void* block);
void __real__ZdlPvm(void* block, size_t size);
void __real__ZdaPv(void* block);

void __wrap_free(void* block) {
  Search(block);
  __real_free(block);
}
void __wrap__ZdlPv(void* block) {
  Search(block);
  __real__ZdlPv(block);
}
void __wrap__ZdlPvm(void* block, size_t size) {
  Search(block);
  __real__ZdlPvm(block, size);
}
void __wrap__ZdaPv(void* block) {
  Search(block);
  __real__ZdaPv(block);
}
}
// NOLINTEND(bugprone-reserved-identifier)

namespace vaultcore::net {
namespace {

class WipingTest : public testing::Test {
 protected:
  WipingTest() {
    ConnectionSettings settings;
    settings.address = Endpoint::Parse("https://vault:8200").value();
    origin_ = Origin::From(settings);
    found = 0;
  }

  // Sends a request with the secret in its token and body, many times, so that buffers grow.
  static void Exercise(Session& session) {
    for (int i = 0; i < 20; ++i) {
      HttpRequest request(Method::kPost, "secret/data/x", Secret::CopyOf(kCanary));
      ASSERT_TRUE(request.AddHeader("X-Vault-Token", std::string_view(kCanary)).ok());
      session.Submit(std::make_shared<RecordedCall>(std::move(request)));
    }
    while (!session.Output().empty()) session.Wrote(std::min<size_t>(session.Output().size(), 100));
  }

  Origin origin_;
};

TEST_F(WipingTest, TheSearchFindsWhatIsNotWiped) {
  static constexpr char kLeftBehind[] = "left behind 26c1";
  char* const plain = static_cast<char*>(std::malloc(100));
  char* const array = new char[100];
  for (char* block : {plain, array}) {
    std::strcpy(block + 30, kLeftBehind);
    // The compiler must not think that nobody looks.
    asm volatile("" : : "r"(block) : "memory");
  }
  wanted = kLeftBehind;
  std::free(plain);
  delete[] array;
  wanted = nullptr;
  // At least: where operator delete is linked in statically, its free() is looked at as well.
  EXPECT_GE(found, 2);
}

TEST_F(WipingTest, Http1) {
  Http1Knowledge knowledge;
  wanted = kCanary;
  {
    Http1Session session(origin_, knowledge, 100'000);
    Exercise(session);
    static_cast<void>(
        session.Input("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\ncanary-7f"));
    static_cast<void>(session.Input("3a91\r\n0\r\n\r\n"));
    // An answer that never ends.
    static_cast<void>(session.Input("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncanary-7f3a91"));
  }
  wanted = nullptr;
  EXPECT_EQ(found, 0);
}

TEST_F(WipingTest, Http2) {
  wanted = kCanary;
  {
    Http2Session session(origin_, 100'000);
    Exercise(session);
  }
  wanted = nullptr;
  EXPECT_EQ(found, 0);
}

}  // namespace
}  // namespace vaultcore::net
