// Whether the operator's token lives long enough for a run.

#ifndef APPS_GENERATOR_TOKEN_LIFE_H_
#define APPS_GENERATOR_TOKEN_LIFE_H_

#include "vaultcore/base/status.h"
#include "vaultcore/client/client.h"

namespace generator {

// A token that has less than a minute left is renewed; one that cannot be is refused. A token that
// may not be asked about itself passes. Errors: kAuth.
vaultcore::Status CheckTokenLife(vaultcore::Client& client);

}  // namespace generator

#endif  // APPS_GENERATOR_TOKEN_LIFE_H_
