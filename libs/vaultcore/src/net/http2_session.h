// HTTP/2 as a session: all calls are streams of one connection.

#ifndef VAULTCORE_NET_HTTP2_SESSION_H_
#define VAULTCORE_NET_HTTP2_SESSION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "net/origin.h"
#include "net/session.h"
#include "net/wire_buffer.h"

struct nghttp2_session;

namespace vaultcore::net {

inline constexpr size_t kMaxStreams = 64;

class Http2Session final : public Session {
 public:
  // `origin` outlives the session.
  Http2Session(const Origin& origin, size_t max_body_bytes);
  ~Http2Session() override;

  bool CanTake(const HttpRequest& request) const override;
  size_t active() const override { return streams_.size(); }
  bool usable() const override { return !closing_; }
  void Submit(std::shared_ptr<Call> call) override;
  void Drop(const Call& call, Status why) override;
  std::string_view Output() override;
  void Wrote(size_t count) override;
  Status Input(std::string_view bytes) override;
  void InputEnd() override;
  void Fail(const Status& why) override;

 private:
  struct Stream;
  struct Callbacks;
  using Streams = std::map<int32_t, std::unique_ptr<Stream>>;

  // Ends a stream's call; the stream is forgotten, and reset when the server still has it open.
  void EndWithFailure(Streams::iterator stream, const Status& why, Seen seen);
  void OnStreamClose(int32_t id, uint32_t error_code);

  const Origin& origin_;
  const size_t max_body_bytes_;
  nghttp2_session* session_ = nullptr;
  Streams streams_;
  WireBuffer out_;
  uint64_t inputs_ = 0;             // portions that have arrived
  std::optional<uint32_t> breach_;  // why the server has just been told goodbye
  bool served_ = false;
  bool closing_ = false;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_HTTP2_SESSION_H_
