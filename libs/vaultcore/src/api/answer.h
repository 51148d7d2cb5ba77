// What every Parse function begins with. Internal to api.

#ifndef VAULTCORE_SRC_API_ANSWER_H_
#define VAULTCORE_SRC_API_ANSWER_H_

#include <string>
#include <string_view>

#include "vaultcore/api/errors.h"
#include "vaultcore/api/http.h"
#include "vaultcore/api/json.h"

namespace vaultcore::internal {

// The JSON object in a 2xx answer's body. Other statuses: InterpretError; a body that is no JSON
// object: kProtocol.
StatusOr<Json> ParseObject(const Operation& operation, const HttpResponse& response);

// A 2xx answer without what Vault documents for it: "`what`: the answer has no `missing`".
Status Malformed(std::string_view what, std::string_view missing);

// True for a 404 by which Vault says that there is nothing at the path of an existing mount, as
// opposed to no such mount, a path of the wrong KV version, and any 404 that is not Vault's own.
bool SaysAbsent(const HttpResponse& response);

// True for a 500 by which Vault refuses a request that it would refuse again, such as too large a
// value.
bool IsLastingRefusal(const HttpResponse& response);

inline bool IsSuccess(const HttpResponse& response) {
  return response.status >= 200 && response.status < 300;
}

inline std::string Text(const Json& value) { return std::string(value.AsText()); }

}  // namespace vaultcore::internal

#endif  // VAULTCORE_SRC_API_ANSWER_H_
