// Session: one connection's protocol state, HTTP/1.1 or HTTP/2, without the connection. Calls go
// in, bytes come out; bytes go in, answers come out. No I/O, no clock.

#ifndef VAULTCORE_NET_SESSION_H_
#define VAULTCORE_NET_SESSION_H_

#include <memory>
#include <string_view>

#include "vaultcore/api/http.h"
#include "vaultcore/base/status.h"

namespace vaultcore::net {

// What the server can have made of a request that got no answer.
enum class Seen {
  kNothing,   // it cannot have acted on it
  kMaybe,     // it was sent, wholly or partly, and no byte of an answer has come
  kAnswered,  // the answer began
};

// A request under way. Exactly one of OnAnswer and OnFailure ends it; neither calls back into the
// session.
class Call {
 public:
  virtual ~Call() = default;
  // Null once the caller has gone.
  virtual const HttpRequest* request() const = 0;
  virtual void OnAnswer(HttpResponse response) = 0;
  // `outdated`: the connection had served before, so its end says nothing about the server now.
  virtual void OnFailure(Status why, Seen seen, bool outdated) = 0;
};

class Session {
 public:
  virtual ~Session() = default;

  // True when `request` may be submitted now.
  virtual bool CanTake(const HttpRequest& request) const = 0;
  // Calls under way.
  virtual size_t active() const = 0;
  // False when the connection is to be closed as soon as active() is 0.
  virtual bool usable() const = 0;

  virtual void Submit(std::shared_ptr<Call> call) = 0;
  // The caller has given `call` up: its OnFailure is called with `why`. No-op when it is not here.
  virtual void Drop(const Call& call, Status why) = 0;

  // Bytes to send next (valid until the next call) and how many of them were taken.
  virtual std::string_view Output() = 0;
  virtual void Wrote(size_t count) = 0;
  // Bytes that arrived. An error ends the connection: the caller hands it to Fail().
  virtual Status Input(std::string_view bytes) = 0;
  // The peer ended the connection in an orderly way; completes what this completes.
  virtual void InputEnd() = 0;
  // The connection is lost: every call left ends with `why`, and nothing of them is sent any more.
  virtual void Fail(const Status& why) = 0;
};

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_SESSION_H_
