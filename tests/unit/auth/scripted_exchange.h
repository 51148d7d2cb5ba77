// An Exchanger that answers from a script and keeps what it was asked.

#ifndef VAULTCORE_TESTS_UNIT_AUTH_SCRIPTED_EXCHANGE_H_
#define VAULTCORE_TESTS_UNIT_AUTH_SCRIPTED_EXCHANGE_H_

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "golden/golden.h"
#include "support/run_sync.h"
#include "vaultcore/auth/auth_method.h"

namespace vaultcore {

class ScriptedExchange {
 public:
  // The next answer: a recorded one, or an error instead of one.
  void AnswerGolden(const std::string& name) { answers_.push_back(ReadGolden(name).response); }
  void Answer(int status, std::string_view body) {
    HttpResponse response;
    response.status = status;
    response.body = Secret::CopyOf(body);
    answers_.push_back(std::move(response));
  }
  void Fail(Status status) { answers_.push_back(std::move(status)); }

  // Logs in with what is scripted.
  StatusOr<AuthToken> Login(AuthMethod& method) {
    const Exchanger exchange =
        [this](HttpRequest request) -> boost::asio::awaitable<StatusOr<HttpResponse>> {
      requests_.push_back(std::move(request));
      if (answers_.empty()) co_return MakeError(ErrorKind::kInternal, "a request too many");
      StatusOr<HttpResponse> answer = std::move(answers_.front());
      answers_.pop_front();
      co_return answer;
    };
    return RunSync(method.Login(exchange));
  }

  const std::vector<HttpRequest>& requests() const { return requests_; }
  size_t answers_left() const { return answers_.size(); }

 private:
  std::deque<StatusOr<HttpResponse>> answers_;
  std::vector<HttpRequest> requests_;
};

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_UNIT_AUTH_SCRIPTED_EXCHANGE_H_
