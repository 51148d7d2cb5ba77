// HTTP/1.1 as a session: keep-alive and, for reads, pipelining.

#ifndef VAULTCORE_NET_HTTP1_SESSION_H_
#define VAULTCORE_NET_HTTP1_SESSION_H_

#include <cstdint>
#include <deque>
#include <memory>

#include "net/http1.h"
#include "net/session.h"
#include "net/wire_buffer.h"

namespace vaultcore::net {

// Reads that may be under way on one connection. Servers answer them one after the other, so more
// only makes a lost connection dearer.
inline constexpr size_t kPipelineWindow = 8;

// What the connections to one server learn about it and share.
struct Http1Knowledge {
  enum class Pipelining { kUnknown, kYes, kNo };
  Pipelining pipelining = Pipelining::kUnknown;
};

class Http1Session final : public Session {
 public:
  // `origin` and `knowledge` outlive the session.
  Http1Session(const Origin& origin, Http1Knowledge& knowledge, size_t max_body_bytes)
      : origin_(origin), knowledge_(knowledge), max_body_bytes_(max_body_bytes) {}

  bool CanTake(const HttpRequest& request) const override;
  size_t active() const override { return calls_.size(); }
  bool usable() const override { return !closing_; }
  void Submit(std::shared_ptr<Call> call) override;
  void Drop(const Call& call, Status why) override;
  std::string_view Output() override { return out_.View(); }
  void Wrote(size_t count) override;
  Status Input(std::string_view bytes) override;
  void InputEnd() override;
  void Fail(const Status& why) override;

 private:
  struct Item {
    std::shared_ptr<Call> call;
    uint64_t begin;  // where its bytes begin, counted from the connection's first
    bool pipelinable;
  };

  // Parses `bytes` and returns how many it used; the rest waits for more.
  StatusOr<size_t> Parse(std::string_view bytes);
  void Answer();
  void FailItem(Item item, const Status& why, bool answer_began);

  const Origin& origin_;
  Http1Knowledge& knowledge_;
  const size_t max_body_bytes_;
  std::deque<Item> calls_;  // in the order of their answers
  WireBuffer out_;
  WireBuffer in_;  // an incomplete header
  std::unique_ptr<Http1ResponseParser> parser_;
  bool answer_began_ = false;
  int interim_answers_ = 0;
  uint64_t submitted_bytes_ = 0;
  uint64_t written_bytes_ = 0;
  bool served_ = false;
  bool closing_ = false;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_HTTP1_SESSION_H_
