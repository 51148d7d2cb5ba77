// RecordedCall: a call whose end is written down. For tests of sessions without sockets.

#ifndef VAULTCORE_TESTS_SUPPORT_RECORDED_CALL_H_
#define VAULTCORE_TESTS_SUPPORT_RECORDED_CALL_H_

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "net/session.h"

namespace vaultcore::net {

class RecordedCall final : public Call {
 public:
  explicit RecordedCall(HttpRequest request) : request_(std::move(request)) {}

  const HttpRequest* request() const override { return &request_; }
  void OnAnswer(HttpResponse response) override {
    ++ends;
    answer = std::move(response);
  }
  void OnFailure(Status why, Seen how_much, bool was_outdated) override {
    ++ends;
    failure = std::move(why);
    seen = how_much;
    outdated = was_outdated;
  }

  int ends = 0;
  std::optional<HttpResponse> answer;
  std::optional<Status> failure;
  Seen seen = Seen::kNothing;
  bool outdated = false;

 private:
  const HttpRequest request_;
};

inline std::shared_ptr<RecordedCall> MakeCall(Method method, std::string_view path,
                                              std::string_view body = {}) {
  return std::make_shared<RecordedCall>(HttpRequest(method, path, Secret::CopyOf(body)));
}

}  // namespace vaultcore::net

#endif  // VAULTCORE_TESTS_SUPPORT_RECORDED_CALL_H_
