// TLS failures in plain words: what is wrong with whose certificate, and what to do.

#ifndef VAULTCORE_NET_TLS_ERRORS_H_
#define VAULTCORE_NET_TLS_ERRORS_H_

#include <openssl/x509_vfy.h>

#include <string>

#include "net/tls_context.h"
#include "vaultcore/base/status.h"

namespace vaultcore::net {

// Why verification stopped: called from the verification callback, with the certificate at hand.
// kTls.
Status ExplainVerification(X509_STORE_CTX* verification, const TlsContext& context);

// What OpenSSL's error `code` (of ERR_get_error) during a handshake or later means. kTls.
Status ExplainTlsError(unsigned long code, const TlsContext& context);

}  // namespace vaultcore::net

#endif  // VAULTCORE_NET_TLS_ERRORS_H_
