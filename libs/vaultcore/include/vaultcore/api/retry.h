// The retry decision: a pure function of what happened, how often, and how much time is left.
//
// Retried, with exponential backoff and full jitter: no answer at all (connect, reset, truncated,
// DNS), 412, 429, 5xx but 501 (501 is "not initialised": retried too, as sealed and standby are,
// because an operator may be at it), and Retry-After is honoured on 429 and 503. Never retried:
// 400, 401, 403, 404, 405, a 500 that blames the request (too large a value), TLS verification,
// cancellation. A request that is not idempotent is
// retried only when the server cannot have acted on it: connect failures, 412, 429, 501, 503.

#ifndef VAULTCORE_API_RETRY_H_
#define VAULTCORE_API_RETRY_H_

#include <optional>

#include "vaultcore/api/http.h"
#include "vaultcore/base/clock.h"
#include "vaultcore/base/status.h"
#include "vaultcore/model/connection.h"

namespace vaultcore {

struct RetryPolicy {
  int max_retries = 2;  // further tries after the first; negative: as many as the deadline allows
  Milliseconds base{250};    // first backoff, doubled each time
  Milliseconds cap{10'000};  // longest backoff
};

// What one try came to. Exactly one of the two is set.
struct Outcome {
  const HttpResponse* response = nullptr;
  const Status* error = nullptr;
  bool request_sent = true;  // false: the connection was never made, the server saw nothing
};

// The time to wait before try number `attempt` + 1 (the first try is attempt 0), or nullopt: give
// up. `jitter` is in [0,1): the wait is backoff * (0.5 + jitter / 2), or Retry-After where longer.
// A wait that would pass `time_left` is a giving up.
std::optional<Milliseconds> RetryAfter(const RetryPolicy& policy, int attempt,
                                       const Outcome& outcome, bool idempotent,
                                       Milliseconds time_left, double jitter);

// Seconds or an HTTP date (RFC 9110 section 10.2.3); dates are measured from the answer's own Date
// header. nullopt when absent or not understood.
std::optional<Milliseconds> ParseRetryAfter(const HttpResponse& response);

// Where a redirect (301, 302, 307, 308) leads. Vault's client follows one, and never from https to
// http. Ours follows it only to the same host, because the token and the body must not go to
// another: kRejected then, naming the host and the setting to change. nullopt: `response` is no
// redirect. Returned: the endpoint and the path with query ("/v1/...").
struct Redirect {
  Endpoint endpoint;
  std::string target;
};
StatusOr<std::optional<Redirect>> RedirectOf(const Endpoint& from, const HttpResponse& response);

}  // namespace vaultcore

#endif  // VAULTCORE_API_RETRY_H_
