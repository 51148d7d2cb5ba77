// The recorded exchanges of a real Vault (tests/golden/*.http, made by record.py) for unit tests.
//
//   const GoldenExchange recorded = ReadGolden("kv2_read");
//   ExpectSameRequest(BuildKvRead(mount, path), recorded);
//   ParseKvRead(mount, path, recorded.response)

#ifndef VAULTCORE_TESTS_GOLDEN_GOLDEN_H_
#define VAULTCORE_TESTS_GOLDEN_GOLDEN_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "vaultcore/api/http.h"
#include "vaultcore/base/file.h"

namespace vaultcore {

struct GoldenExchange {
  std::string method;
  std::string target;
  std::string body;
  HttpResponse response;
};

// From the build, not from __FILE__: compiler caches share objects between checkouts at different
// places.
inline std::filesystem::path GoldenFolder() { return VC_GOLDEN_FOLDER; }

// The names of all recorded exchanges.
inline std::vector<std::string> GoldenNames() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(GoldenFolder())) {
    if (file.path().extension() == ".http") names.push_back(file.path().stem().string());
  }
  return names;
}

namespace testing_support {

// Cuts `text` at the first `mark`; what stood before it is returned.
inline std::string_view Cut(std::string_view& text, std::string_view mark) {
  const size_t at = text.find(mark);
  const std::string_view before = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + mark.size());
  return before;
}

}  // namespace testing_support

// The exchange of that name; a test failure, and an empty one, when it is not there.
inline GoldenExchange ReadGolden(const std::string& name) {
  GoldenExchange golden;
  const auto file = ReadTextFile((GoldenFolder() / (name + ".http")).string());
  if (!file.ok()) {
    ADD_FAILURE() << MessageOf(file.status());
    return golden;
  }
  std::string_view rest = *file;
  testing_support::Cut(rest, "### request\n");
  std::string_view request = testing_support::Cut(rest, "\n### response\n");
  std::string_view head = testing_support::Cut(request, "\n\n");
  golden.body = std::string(request);
  golden.method = std::string(testing_support::Cut(head, " "));
  golden.target = std::string(testing_support::Cut(head, "\n"));

  head = testing_support::Cut(rest, "\n\n");
  golden.response.body = Secret::CopyOf(rest);
  golden.response.status = std::atoi(std::string(testing_support::Cut(head, " ")).c_str());
  testing_support::Cut(head, "\n");
  while (!head.empty()) {
    std::string_view line = testing_support::Cut(head, "\n");
    const std::string header(testing_support::Cut(line, ": "));
    golden.response.headers.emplace_back(header, std::string(line));
  }
  return golden;
}

// Byte for byte: method, target and body.
inline void ExpectSameRequest(const HttpRequest& request, const GoldenExchange& golden) {
  EXPECT_EQ(MethodName(request.method()), golden.method);
  EXPECT_EQ(request.target(), golden.target);
  EXPECT_EQ(request.body().Reveal(), golden.body);
}

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_GOLDEN_GOLDEN_H_
