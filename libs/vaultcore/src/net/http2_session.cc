#include "net/http2_session.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "net/http1.h"

namespace vaultcore::net {
namespace {

// One write's worth: small frames share a TLS record and a system call.
constexpr size_t kOutputBatch = 32 << 10;
// What the server may send before we have to let it send more.
constexpr int32_t kWindow = 1 << 20;
constexpr size_t kMaxReserve = 256 << 10;

// nghttp2 keeps header values, so its memory is wiped before it is given back. The size of a block
// stands in front of it.
constexpr size_t kSizeField = alignof(std::max_align_t);

void* Allocate(size_t size, void*) {
  if (size > SIZE_MAX - kSizeField) return nullptr;
  char* block = static_cast<char*>(std::malloc(size + kSizeField));
  if (block == nullptr) return nullptr;
  std::memcpy(block, &size, sizeof(size));
  return block + kSizeField;
}

void Free(void* data, void*) {
  if (data == nullptr) return;
  char* block = static_cast<char*>(data) - kSizeField;
  size_t size;
  std::memcpy(&size, block, sizeof(size));
  WipeMemory(block, size + kSizeField);
  std::free(block);
}

void* AllocateZeroed(size_t count, size_t size, void*) {
  if (size != 0 && count > SIZE_MAX / size) return nullptr;
  void* data = Allocate(count * size, nullptr);
  if (data != nullptr) std::memset(data, 0, count * size);
  return data;
}

void* Reallocate(void* data, size_t size, void*) {
  void* larger = Allocate(size, nullptr);
  if (larger != nullptr && data != nullptr) {
    size_t old_size;
    std::memcpy(&old_size, static_cast<char*>(data) - kSizeField, sizeof(old_size));
    std::memcpy(larger, data, std::min(old_size, size));
    Free(data, nullptr);
  }
  return larger;
}

nghttp2_mem WipingMemory() { return {nullptr, Allocate, Free, AllocateZeroed, Reallocate}; }

nghttp2_nv HeaderOf(std::string_view name, std::string_view value, uint8_t flags) {
  // nghttp2 copies both; the casts are its C interface's.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          flags};
}

std::string_view ToView(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace

struct Http2Session::Stream {
  std::shared_ptr<Call> call;
  HttpResponse response;
  SecretBuilder body;
  size_t header_bytes = 0;
  size_t sent_body_bytes = 0;
  uint64_t inputs_before = 0;  // what had arrived on the connection when this began
  bool never_sent = false;
  bool answer_began = false;
  bool answer_ended = false;
};

// nghttp2's callbacks; `user` is the session.
struct Http2Session::Callbacks {
  static Stream* Find(int32_t id, void* user) {
    auto* self = static_cast<Http2Session*>(user);
    const auto found = self->streams_.find(id);
    return found == self->streams_.end() ? nullptr : found->second.get();
  }

  static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Stream* stream = Find(frame->hd.stream_id, user);
    if (stream == nullptr) return 0;
    stream->answer_began = true;
    // An interim answer came before; the answer proper follows.
    if (stream->response.status < 200) stream->response = HttpResponse();
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                      void* user) {
    Stream* stream = Find(frame->hd.stream_id, user);
    if (stream == nullptr) return 0;
    const std::string_view key = ToView(name, name_size);
    const std::string_view text = ToView(value, value_size);
    stream->header_bytes += key.size() + text.size();
    if (stream->header_bytes > kMaxHeaderBytes) {
      auto* self = static_cast<Http2Session*>(user);
      self->EndWithFailure(
          self->streams_.find(frame->hd.stream_id),
          MakeError(ErrorKind::kProtocol, absl::StrFormat("the answer's headers are larger than "
                                                          "%d bytes",
                                                          kMaxHeaderBytes)),
          Seen::kAnswered);
      return 0;
    }
    if (key == ":status") {
      // nghttp2 has checked that these are three digits.
      if (!absl::SimpleAtoi(ToAbsl(text), &stream->response.status)) return 0;
    } else if (frame->headers.cat != NGHTTP2_HCAT_HEADERS || stream->body.size() == 0) {
      stream->response.headers.emplace_back(std::string(key), std::string(text));
    }
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                    void* user) {
    Stream* stream = Find(id, user);
    if (stream == nullptr) return 0;
    auto* self = static_cast<Http2Session*>(user);
    if (size > self->max_body_bytes_ - stream->body.size()) {
      self->EndWithFailure(
          self->streams_.find(id),
          MakeError(ErrorKind::kProtocol,
                    absl::StrFormat("the answer is larger than %d bytes", self->max_body_bytes_)),
          Seen::kAnswered);
      return 0;
    }
    if (stream->body.size() == 0) {
      size_t stated = 0;
      if (auto length = stream->response.Header("content-length");
          length && absl::SimpleAtoi(ToAbsl(*length), &stated)) {
        stream->body.Reserve(std::min(stated, kMaxReserve));
      }
    }
    stream->body.Append(ToView(data, size));
    return 0;
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) static_cast<Http2Session*>(user)->closing_ = true;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
                      (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS);
    if (ends) {
      if (Stream* stream = Find(frame->hd.stream_id, user)) stream->answer_ended = true;
    }
    return 0;
  }

  // Only nghttp2 itself says goodbye here, and only to a server that breaks the protocol.
  static int OnSent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      static_cast<Http2Session*>(user)->breach_ = frame->goaway.error_code;
    }
    return 0;
  }

  // A request that waited for its turn when the server said goodbye.
  static int OnNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (Stream* stream = Find(frame->hd.stream_id, user)) stream->never_sent = true;
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t error_code, void* user) {
    static_cast<Http2Session*>(user)->OnStreamClose(id, error_code);
    return 0;
  }

  // Copies the next piece of a request's body.
  static ssize_t ReadBody(nghttp2_session*, int32_t id, uint8_t* buffer, size_t room,
                          uint32_t* flags, nghttp2_data_source*, void* user) {
    Stream* stream = Find(id, user);
    const HttpRequest* request = stream == nullptr ? nullptr : stream->call->request();
    if (request == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::string_view rest = request->body().Reveal().substr(stream->sent_body_bytes);
    const size_t count = std::min(room, rest.size());
    std::memcpy(buffer, rest.data(), count);
    stream->sent_body_bytes += count;
    if (count == rest.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }
};

Http2Session::Http2Session(const Origin& origin, size_t max_body_bytes)
    : origin_(origin), max_body_bytes_(max_body_bytes) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_mem memory = WipingMemory();
  if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::OnBeginHeaders);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::OnData);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::OnFrame);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::OnSent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::OnNotSent);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::OnClose);
  const int made = nghttp2_session_client_new3(&session_, callbacks, this, nullptr, &memory);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) throw std::bad_alloc();
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(kWindow)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(kMaxHeaderBytes)}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow);
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

bool Http2Session::CanTake(const HttpRequest&) const {
  return !closing_ && streams_.size() < kMaxStreams;
}

void Http2Session::Submit(std::shared_ptr<Call> call) {
  const HttpRequest& request = *call->request();
  const std::string path = origin_.path_prefix + request.target();
  const std::string length = std::to_string(request.body().size());
  std::vector<std::string> names;  // lower case, as HTTP/2 wants them
  names.reserve(request.headers().size());
  std::vector<nghttp2_nv> headers;
  headers.reserve(request.headers().size() + 6);
  const auto add = [&](std::string_view name, std::string_view value) {
    headers.push_back(HeaderOf(name, value, NGHTTP2_NV_FLAG_NONE));
  };
  add(":method", MethodName(request.method()));
  add(":scheme", origin_.scheme);
  add(":authority", origin_.authority);
  add(":path", path);
  bool has_type = false;
  for (const auto& [name, value] : request.headers()) {
    names.push_back(absl::AsciiStrToLower(name));
    has_type = has_type || names.back() == "content-type";
    // Tokens are not put into the compression table, here or at a proxy.
    const bool sensitive = absl::StrContains(names.back(), "token");
    headers.push_back(HeaderOf(names.back(), value.Reveal(),
                               sensitive ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE));
  }
  const bool has_body = !request.body().empty();
  if (has_body && !has_type) add("content-type", "application/json");
  if (has_body) add("content-length", length);

  nghttp2_data_provider body{};
  body.read_callback = Callbacks::ReadBody;
  const int32_t id = nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(),
                                            has_body ? &body : nullptr, nullptr);
  if (id < 0) {
    // The stream numbers of this connection are used up, or there is no memory.
    closing_ = true;
    call->OnFailure(MakeError(ErrorKind::kUnavailable, nghttp2_strerror(id)), Seen::kNothing, true);
    return;
  }
  auto stream = std::make_unique<Stream>();
  stream->call = std::move(call);
  stream->inputs_before = inputs_;
  streams_.emplace(id, std::move(stream));
}

void Http2Session::Drop(const Call& call, Status why) {
  const auto found = std::find_if(streams_.begin(), streams_.end(), [&](const auto& entry) {
    return entry.second->call.get() == &call;
  });
  if (found == streams_.end()) return;
  // Nothing at all has come since: the connection may be dead, so the next call gets a new one.
  if (found->second->inputs_before == inputs_) closing_ = true;
  EndWithFailure(found, why, found->second->answer_began ? Seen::kAnswered : Seen::kMaybe);
}

void Http2Session::EndWithFailure(Streams::iterator stream, const Status& why, Seen seen) {
  const int32_t id = stream->first;
  const std::shared_ptr<Call> call = std::move(stream->second->call);
  streams_.erase(stream);
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  call->OnFailure(why, seen, served_);
}

void Http2Session::OnStreamClose(int32_t id, uint32_t error_code) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const std::unique_ptr<Stream> stream = std::move(found->second);
  streams_.erase(found);
  if (stream->answer_ended && stream->response.status >= 200) {
    served_ = true;
    stream->response.body = stream->body.Take();
    stream->call->OnAnswer(std::move(stream->response));
    return;
  }
  if (error_code == NGHTTP2_REFUSED_STREAM || stream->never_sent) {
    stream->call->OnFailure(
        MakeError(ErrorKind::kUnavailable, "the server refused to take the request now"),
        Seen::kNothing, true);
    return;
  }
  stream->call->OnFailure(MakeError(ErrorKind::kUnavailable,
                                    absl::StrFormat("the server gave the request up (HTTP/2 %s)",
                                                    nghttp2_http2_strerror(error_code))),
                          stream->answer_began ? Seen::kAnswered : Seen::kMaybe, false);
}

std::string_view Http2Session::Output() {
  while (out_.size() < kOutputBatch) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size <= 0) break;
    out_.Append(ToView(data, static_cast<size_t>(size)));
  }
  if (breach_) {
    Fail(MakeError(ErrorKind::kProtocol,
                   absl::StrFormat("the answer is not proper HTTP/2 (%s)",
                                   nghttp2_http2_strerror(*std::exchange(breach_, {})))));
  }
  return out_.View();
}

void Http2Session::Wrote(size_t count) { out_.Consume(count); }

Status Http2Session::Input(std::string_view bytes) {
  ++inputs_;
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) {
    return MakeError(ErrorKind::kProtocol,
                     absl::StrFormat("the answer is not proper HTTP/2 (%s)",
                                     nghttp2_strerror(static_cast<int>(used))));
  }
  if (nghttp2_session_want_read(session_) == 0 && nghttp2_session_want_write(session_) == 0) {
    closing_ = true;
  }
  return absl::OkStatus();
}

void Http2Session::InputEnd() {
  Fail(MakeError(ErrorKind::kUnavailable, "the server closed the connection without an answer"));
}

void Http2Session::Fail(const Status& why) {
  closing_ = true;
  Streams streams = std::exchange(streams_, {});
  for (auto& [id, stream] : streams) {
    stream->call->OnFailure(why, stream->answer_began ? Seen::kAnswered : Seen::kMaybe, served_);
  }
}

}  // namespace vaultcore::net
