// Http2Peer: the server's side of one HTTP/2 connection, without the connection: what a scripted
// server, or a test without sockets, answers with.

#ifndef VAULTCORE_TESTS_SUPPORT_HTTP2_PEER_H_
#define VAULTCORE_TESTS_SUPPORT_HTTP2_PEER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct nghttp2_session;

namespace vaultcore {

class Http2Peer {
 public:
  struct Request {
    int32_t stream = 0;
    std::map<std::string, std::string> headers;  // ":method", ":path", ... included
    std::string body;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit Http2Peer(uint32_t max_streams = 100);
  ~Http2Peer();
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;

  // False when the client broke the protocol.
  bool Input(std::string_view bytes);
  // All bytes that are due.
  std::string Output();
  // The requests that are complete and have not been taken.
  std::vector<Request> TakeRequests() { return std::exchange(complete_, {}); }
  const std::vector<int32_t>& reset_streams() const { return reset_streams_; }

  void Answer(int32_t stream, int status, std::string body, const Headers& headers = {});
  // Status and headers, and then nothing.
  void BeginAnswer(int32_t stream, int status);
  // An interim answer (1xx).
  void Interim(int32_t stream, int status);
  void Reset(int32_t stream, uint32_t error_code);
  // Goodbye: streams above `last_stream` have not been and will not be looked at.
  void GoAway(int32_t last_stream);

 private:
  struct Callbacks;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Request> open_;
  std::vector<Request> complete_;
  std::vector<int32_t> reset_streams_;
  std::map<int32_t, std::string> bodies_;  // what is left to send
};

}  // namespace vaultcore

#endif  // VAULTCORE_TESTS_SUPPORT_HTTP2_PEER_H_
