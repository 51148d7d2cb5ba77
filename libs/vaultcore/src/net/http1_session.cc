#include "net/http1_session.h"

#include <absl/strings/match.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <utility>

namespace vaultcore::net {
namespace {

// "100 Continue" and the like before one answer; more is a server gone wrong.
constexpr int kMaxInterimAnswers = 16;

Status SpeaksTls() {
  return MakeError(ErrorKind::kTls, "the server speaks TLS on this port, not plain HTTP",
                   "use https:// in the address");
}

// Go's and nginx's answers to plain HTTP on a TLS port.
bool SaysUseTls(const HttpResponse& response) {
  if (response.status != 400) return false;
  const std::string_view body = response.body.Reveal();
  return absl::StrContains(ToAbsl(body), "HTTP request to an HTTPS server") ||
         absl::StrContains(ToAbsl(body), "plain HTTP request was sent to HTTPS port");
}

}  // namespace

bool Http1Session::CanTake(const HttpRequest& request) const {
  if (closing_) return false;
  if (calls_.empty()) return true;
  return knowledge_.pipelining == Http1Knowledge::Pipelining::kYes && MayBePipelined(request) &&
         calls_.size() < kPipelineWindow && calls_.back().pipelinable;
}

void Http1Session::Submit(std::shared_ptr<Call> call) {
  const HttpRequest& request = *call->request();
  Item item{std::move(call), submitted_bytes_, MayBePipelined(request)};
  const size_t before = out_.size();
  SerializeRequest(request, origin_, out_);
  submitted_bytes_ += out_.size() - before;
  calls_.push_back(std::move(item));
}

void Http1Session::Wrote(size_t count) {
  out_.Consume(count);
  written_bytes_ += count;
}

Status Http1Session::Input(std::string_view bytes) {
  if (in_.empty()) {
    VC_ASSIGN_OR_RETURN(const size_t used, Parse(bytes));
    in_.Append(bytes.substr(used));
    return absl::OkStatus();
  }
  in_.Append(bytes);
  VC_ASSIGN_OR_RETURN(const size_t used, Parse(in_.View()));
  in_.Consume(used);
  return absl::OkStatus();
}

StatusOr<size_t> Http1Session::Parse(std::string_view bytes) {
  size_t used = 0;
  while (used < bytes.size()) {
    if (calls_.empty()) {
      return MakeError(ErrorKind::kProtocol, "the server sent something that nobody asked for");
    }
    if (!parser_) {
      if (origin_.scheme == "http" && LooksLikeTls(bytes.substr(used))) return SpeaksTls();
      parser_ = std::make_unique<Http1ResponseParser>(max_body_bytes_);
      answer_began_ = true;
    }
    VC_ASSIGN_OR_RETURN(const size_t count, parser_->Feed(bytes.substr(used)));
    used += count;
    if (!parser_->done()) break;
    Answer();
    if (closing_) {
      Fail(MakeError(ErrorKind::kUnavailable, "the server closed the connection"));
      return bytes.size();
    }
  }
  return used;
}

// The answer in the parser is complete: hands it over, unless it is only an interim one.
void Http1Session::Answer() {
  const bool keep_alive = parser_->keep_alive();
  HttpResponse response = parser_->Take();
  parser_.reset();
  const int status = response.status;
  if (status >= 100 && status < 200 && status != 101 && ++interim_answers_ <= kMaxInterimAnswers) {
    return;  // the answer proper follows
  }
  answer_began_ = false;
  interim_answers_ = 0;
  Item item = std::move(calls_.front());
  calls_.pop_front();
  if (status < 200) {
    closing_ = true;
    Status why = MakeError(ErrorKind::kProtocol,
                           absl::StrFormat("the server sent an unexpected HTTP %d", status));
    item.call->OnFailure(std::move(why), Seen::kAnswered, served_);
    return;
  }
  if (status == 407 && !origin_.proxy.empty()) {
    closing_ = true;
    item.call->OnFailure(ProxyRefusal(origin_, status), Seen::kAnswered, served_);
    return;
  }
  if (origin_.scheme == "http" && SaysUseTls(response)) {
    closing_ = true;
    item.call->OnFailure(SpeaksTls(), Seen::kAnswered, served_);
    return;
  }
  served_ = true;
  if (!keep_alive) {
    closing_ = true;
    knowledge_.pipelining = Http1Knowledge::Pipelining::kNo;
  } else if (knowledge_.pipelining == Http1Knowledge::Pipelining::kUnknown) {
    knowledge_.pipelining = Http1Knowledge::Pipelining::kYes;
  }
  item.call->OnAnswer(std::move(response));
}

void Http1Session::InputEnd() {
  if (parser_ && !calls_.empty() && parser_->FeedEnd().ok()) Answer();
  Fail(MakeError(ErrorKind::kUnavailable, answer_began_
                                              ? "the connection ended in the middle of the answer"
                                              : "the server closed the connection without an "
                                                "answer"));
}

void Http1Session::Drop(const Call& call, Status why) {
  const auto found = std::find_if(calls_.begin(), calls_.end(),
                                  [&](const Item& item) { return item.call.get() == &call; });
  if (found == calls_.end()) return;
  Item item = std::move(*found);
  const bool began = answer_began_ && found == calls_.begin();
  calls_.erase(found);
  FailItem(std::move(item), why, began);
  // Its answer would still come and be taken for another's, so the connection has to go. That is
  // not the fault of the calls behind it.
  served_ = true;
  Fail(MakeError(ErrorKind::kUnavailable, "the connection was closed"));
}

void Http1Session::FailItem(Item item, const Status& why, bool answer_began) {
  const Seen seen = answer_began                  ? Seen::kAnswered
                    : item.begin < written_bytes_ ? Seen::kMaybe
                                                  : Seen::kNothing;
  item.call->OnFailure(why, seen, served_);
}

void Http1Session::Fail(const Status& why) {
  closing_ = true;
  std::deque<Item> calls = std::exchange(calls_, {});
  bool answer_began = answer_began_;
  for (Item& item : calls) {
    FailItem(std::move(item), why, answer_began);
    answer_began = false;
  }
  // What the server has not seen may now go another way: it must not go this way, too.
  out_.Consume(out_.size());
}

}  // namespace vaultcore::net
