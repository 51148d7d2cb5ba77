#include "support/http2_peer.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>

namespace vaultcore {
namespace {

nghttp2_nv HeaderOf(const std::string& name, const std::string& value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

std::string ToString(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

struct Http2Peer::Callbacks {
  static Http2Peer& Self(void* user) { return *static_cast<Http2Peer*>(user); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Request& request = Self(user).open_[frame->hd.stream_id];
    request.stream = frame->hd.stream_id;
    request.headers[ToString(name, name_size)] = ToString(value, value_size);
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t size,
                    void* user) {
    Self(user).open_[stream].body += ToString(data, size);
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Peer& self = Self(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM) self.reset_streams_.push_back(frame->hd.stream_id);
    const bool has_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (has_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      auto found = self.open_.find(frame->hd.stream_id);
      self.complete_.push_back(std::move(found->second));
      self.open_.erase(found);
    }
    return 0;
  }

  static ssize_t ReadBody(nghttp2_session*, int32_t stream, uint8_t* buffer, size_t room,
                          uint32_t* flags, nghttp2_data_source*, void* user) {
    std::string& body = Self(user).bodies_[stream];
    const size_t count = std::min(room, body.size());
    body.copy(reinterpret_cast<char*>(buffer), count);
    body.erase(0, count);
    if (body.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
};

Http2Peer::Http2Peer(uint32_t max_streams) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::OnFrame);
  nghttp2_option* options = nullptr;
  nghttp2_option_new(&options);
  nghttp2_option_set_max_send_header_block_length(options, 1 << 20);
  nghttp2_session_server_new2(&session_, callbacks, this, options);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 1);
}

Http2Peer::~Http2Peer() { nghttp2_session_del(session_); }

bool Http2Peer::Input(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()),
                                  bytes.size()) >= 0;
}

std::string Http2Peer::Output() {
  std::string out;
  for (;;) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) return out;
    out += ToString(data, static_cast<size_t>(size));
  }
}

void Http2Peer::Answer(int32_t stream, int status, std::string body, const Headers& headers) {
  const std::string code = std::to_string(status);
  const std::string status_name = ":status";
  std::vector<nghttp2_nv> fields = {HeaderOf(status_name, code)};
  for (const auto& [name, value] : headers) fields.push_back(HeaderOf(name, value));
  nghttp2_data_provider provider{};
  provider.read_callback = Callbacks::ReadBody;
  const bool has_body = !body.empty();
  bodies_[stream] = std::move(body);
  nghttp2_submit_response(session_, stream, fields.data(), fields.size(),
                          has_body ? &provider : nullptr);
}

void Http2Peer::BeginAnswer(int32_t stream, int status) {
  const std::string code = std::to_string(status);
  const std::string name = ":status";
  const nghttp2_nv field = HeaderOf(name, code);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream, nullptr, &field, 1, nullptr);
}

void Http2Peer::Interim(int32_t stream, int status) { BeginAnswer(stream, status); }

void Http2Peer::Reset(int32_t stream, uint32_t error_code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, error_code);
}

void Http2Peer::GoAway(int32_t last_stream) {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_stream, NGHTTP2_NO_ERROR, nullptr, 0);
}

}  // namespace vaultcore
