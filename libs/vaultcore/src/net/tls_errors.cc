#include "net/tls_errors.h"

#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string_view>
#include <vector>

#include "base/ip_address.h"
#include "net/origin.h"

namespace vaultcore::net {
namespace {

constexpr int kMaxNames = 8;

std::string NameText(const X509_NAME* name) {
  const OpenSslPtr<BIO, BIO_free_all> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Printable(std::string_view(data, static_cast<size_t>(size)), 200);
}

// "2026-03-01 12:00:00 UTC"
std::string TimeText(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unreadable date";
  return absl::StrFormat("%04d-%02d-%02d %02d:%02d:%02d UTC", parts.tm_year + 1900,
                         parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                         parts.tm_sec);
}

std::string IpText(const ASN1_OCTET_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  if (size == 4) return absl::StrFormat("%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
  std::string text;
  for (int i = 0; i + 1 < size; i += 2) {
    absl::StrAppendFormat(&text, "%s%x", i == 0 ? "" : ":", bytes[i] << 8 | bytes[i + 1]);
  }
  return text;
}

// "vault.example, *.internal, 10.0.0.1"; empty when the certificate names nobody.
std::string CertificateNames(X509* certificate) {
  const OpenSslPtr<GENERAL_NAMES, GENERAL_NAMES_free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> texts;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (texts.size() == kMaxNames) {
      texts.emplace_back("...");
      break;
    }
    if (name->type == GEN_DNS) {
      const ASN1_IA5STRING* dns = name->d.dNSName;
      texts.push_back(
          Printable(std::string_view(reinterpret_cast<const char*>(ASN1_STRING_get0_data(dns)),
                                     static_cast<size_t>(ASN1_STRING_length(dns))),
                    100));
    } else if (name->type == GEN_IPADD) {
      texts.push_back(IpText(name->d.iPAddress));
    }
  }
  return absl::StrJoin(texts, ", ");
}

Status Tls(std::string_view message, std::string_view hint = {}) {
  return MakeError(ErrorKind::kTls, message, hint);
}

Status UnknownAuthority(X509* certificate, const TlsContext& context) {
  std::string message = "the server's certificate is signed by an authority that is not trusted";
  if (certificate != nullptr) {
    message += " (issuer: " + NameText(X509_get_issuer_name(certificate)) + ")";
  }
  if (context.trust_source().empty()) {
    return Tls(message, "set VAULT_CACERT to the file with Vault's CA certificate");
  }
  return Tls(message, context.trust_source() + " does not hold the authority that signed it");
}

Status WrongName(X509* certificate, const TlsContext& context) {
  const std::string names = certificate == nullptr ? "" : CertificateNames(certificate);
  const std::string message =
      names.empty()
          ? "the server's certificate names no host (a common name alone does not count);"
            " wanted: " +
                context.certificate_name()
          : "the server's certificate is for " + names + ", not for " + context.certificate_name();
  return Tls(message,
             "use one of the certificate's names in the address, or set VAULT_TLS_SERVER_NAME");
}

// OpenSSL's own words, whose table is loaded only now.
std::string ReasonText(unsigned long code) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  // OPENSSL_init_ssl() would not load them any more after having been told not to.
  static const int loaded = ERR_load_SSL_strings();
#pragma GCC diagnostic pop
  static_cast<void>(loaded);
  const char* reason = ERR_reason_error_string(code);
  if (reason != nullptr) return Printable(reason);
  return absl::StrFormat("OpenSSL error %08x", code);
}

}  // namespace

Status ExplainVerification(X509_STORE_CTX* verification, const TlsContext& context) {
  const int error = X509_STORE_CTX_get_error(verification);
  X509* certificate = X509_STORE_CTX_get_current_cert(verification);
  const bool is_leaf = X509_STORE_CTX_get_error_depth(verification) == 0;
  const std::string whose =
      is_leaf || certificate == nullptr
          ? "the server's certificate"
          : "the certificate of the authority " + NameText(X509_get_subject_name(certificate));
  switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_UNTRUSTED:
    // An authority of the right name but another key.
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return UnknownAuthority(certificate, context);
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return WrongName(certificate, context);
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Tls(whose + " expired on " + TimeText(X509_get0_notAfter(certificate)),
                 "have it renewed, or set this machine's clock right");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Tls(whose + " is not valid before " + TimeText(X509_get0_notBefore(certificate)),
                 "set this machine's clock right, or have the certificate made anew");
    default:
      return Tls(whose + " was refused: " + AsClause(X509_verify_cert_error_string(error)));
  }
}

Status ExplainTlsError(unsigned long code, const TlsContext& context) {
  const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  const char* client_hint =
      context.has_client_certificate()
          ? "the server must trust the authority that signed VAULT_CLIENT_CERT"
          : "set VAULT_CLIENT_CERT and VAULT_CLIENT_KEY";
  switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return Tls("the server does not speak TLS on this port",
                 "if it speaks plain HTTP, use http:// in the address");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return Tls("the server offers no TLS version that is still safe (1.2 or later)");
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return Tls("the server requires a client certificate", client_hint);
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return Tls(context.has_client_certificate()
                     ? "the server refused our client certificate (" + ReasonText(code) + ")"
                     : "the server requires a client certificate",
                 client_hint);
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return Tls("the server refused the TLS handshake", context.has_client_certificate()
                                                             ? ""
                                                             : "if it requires a client "
                                                               "certificate, set VAULT_CLIENT_CERT "
                                                               "and VAULT_CLIENT_KEY");
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
      return Tls("the server knows no host " + context.certificate_name(),
                 "set VAULT_TLS_SERVER_NAME to the name that it is known by");
    default:
      return Tls("the TLS connection failed: " + AsClause(ReasonText(code)));
  }
}

}  // namespace vaultcore::net
